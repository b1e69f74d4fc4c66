import assert from 'node:assert/strict';
import test from 'node:test';
import { readCpu, usageBetween } from '../../bench/servers/cpu-meter.js';
import {
  type LlamaServerSettings,
  llamaServerArgs,
  llamaServerDefaults,
} from '../../bench/servers/llama-server.js';
import { readProcessUsage } from '../../bench/servers/process-usage.js';
import { freePort, ServerProcess } from '../../bench/servers/server.js';
import { sweepSettings } from '../../bench/servers/sweep.js';

const load = { modelPath: '/models/m.gguf', port: 1, threads: 2, sequences: 8, tokensPerSequence: 300 };

test('llama-server gets whole blocks of context for every slot', () => {
  const args = llamaServerArgs(load, llamaServerDefaults);
  assert.equal(args[args.indexOf('--ctx-size') + 1], String(8 * 512));
  assert.ok(args.includes('--no-kv-unified') && !args.includes('--swa-full'));
});

test('the sweep climbs axis by axis and ignores gains within the noise', async () => {
  const score = (s: LlamaServerSettings) =>
    100 + (s.swaFull ? 50 : 0) + (s.kv === 'unified' ? 1 : 0) + (s.poll ? 0 : 9);
  const best = await sweepSettings(async (settings) => score(settings), 0.02);
  assert.deepEqual(best, { ...llamaServerDefaults, swaFull: true, poll: 0 });
});

test('usage of a process is read from the kernel', async () => {
  const usage = await readProcessUsage(process.pid);
  assert.ok(usage.rssMiB > 10 && usage.peakRssMiB >= usage.rssMiB - 1 && usage.cpuSeconds > 0);
});

test("the CPU meter tells the server's time from that of others", () => {
  const reading = (atMs: number, machineSeconds: number, ourSeconds: number, cpuSeconds: number) => ({
    atMs,
    machineSeconds,
    ourSeconds,
    server: { rssMiB: 1, peakRssMiB: 2, cpuSeconds },
  });
  const usage = usageBetween(reading(0, 100, 1, 10), reading(10_000, 120, 2, 25));
  assert.deepEqual(usage, { peakRssMiB: 2, cpuCores: 1.5, otherCpuCores: 0.4 });
});

test('the CPU meter reads this machine', async () => {
  const reading = await readCpu(process.pid);
  assert.ok(reading.machineSeconds > reading.ourSeconds && reading.ourSeconds > 0);
});

const serve = `require('node:http').createServer((q, r) => r.end('ok')).listen(+process.argv[1], '127.0.0.1')`;
const command = (script: string, port: number) => ({
  name: 'stub',
  file: process.execPath,
  args: ['-e', script, String(port)],
  env: {},
  readyPath: '/',
  startTimeoutMs: 30_000,
});

test('a server is ready when it answers, and gone when stopped', async () => {
  const port = await freePort();
  const server = await ServerProcess.start(port, command(serve, port));
  assert.equal(await (await fetch(server.url)).text(), 'ok');
  assert.ok((await readProcessUsage(server.pid)).peakRssMiB > 1);
  assert.ok(!server.commandLine.includes('/node'), server.commandLine);
  await server.stop();
  await assert.rejects(fetch(server.url));
});

test('a server that dies at once is an error with its last words', async () => {
  const dying = command(`console.error('no such model'); process.exit(3)`, await freePort());
  await assert.rejects(ServerProcess.start(1, dying), /it exited with 3[\s\S]*no such model/);
});
