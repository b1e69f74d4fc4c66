// A cluster on this machine, to try: Redis, two gateways, two workers, and a balancer that clients talk to.
// Usage: npm run cluster [-- --port 8080 --model REF --workers 2 --gateways 2]
// Needs redis-server and haproxy: apt-get install redis-server haproxy
import { spawn, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const root = fileURLToPath(new URL('..', import.meta.url));
const { values: options } = parseArgs({
  options: {
    port: { type: 'string', default: '8080' },
    model: { type: 'string', default: 'gemma-3-270m' },
    workers: { type: 'string', default: '2' },
    gateways: { type: 'string', default: '2' },
  },
});

for (const program of ['redis-server', 'haproxy']) {
  if (spawnSync(program, ['--version']).error) {
    console.error(`${program} isn't installed: apt-get install redis-server haproxy`);
    process.exit(1);
  }
}

const folder = mkdtempSync(join(tmpdir(), 'sluice-cluster-'));
const members = [];

function start(name, program, args, port) {
  const child = spawn(program, args, { stdio: ['ignore', 'ignore', 'pipe'], cwd: folder });
  const member = { name, port, child, said: '' };
  child.stderr.setEncoding('utf8').on('data', (text) => {
    member.said = (member.said + text).slice(-2000);
  });
  child.on('exit', () => {
    member.isGone = true;
  });
  members.push(member);
  return member;
}

function sluice(name, port, role, ...args) {
  const common = ['--redis', redisUrl, '--port', String(port), '--log-level', 'warn'];
  return start(name, process.execPath, [join(root, 'bin', 'sluice'), role, ...common, ...args], port);
}

async function freePort() {
  const probe = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => probe.once('listening', resolve));
  const { port } = probe.address();
  await new Promise((resolve) => probe.close(resolve));
  return port;
}

function balancer(gateways) {
  const servers = gateways.map(
    ({ name, port }) => `  server ${name} 127.0.0.1:${port} check inter 500 rise 1`,
  );
  const settings = `
defaults
  mode http
  timeout connect 2s
  timeout client 1h
  timeout server 1h
frontend clients
  bind 127.0.0.1:${options.port}
  default_backend gateways
backend gateways
  balance leastconn
  option httpchk
  http-check send meth GET uri /readyz ver HTTP/1.1 hdr Host 127.0.0.1
  option redispatch
${servers.join('\n')}
`;
  const file = join(folder, 'haproxy.cfg');
  writeFileSync(file, settings);
  return start('balancer', 'haproxy', ['-f', file], Number(options.port));
}

async function ask(port, path) {
  try {
    const response = await fetch(`http://127.0.0.1:${port}${path}`, { signal: AbortSignal.timeout(1000) });
    return { ok: response.ok, text: await response.text() };
  } catch {
    return { ok: false, text: '' };
  }
}

const sample = (text, name) =>
  text
    .split('\n')
    .filter((line) => line.startsWith(`${name}{`) || line.startsWith(`${name} `))
    .reduce((sum, line) => sum + Number(line.split(' ').at(-1)), 0);

/** One line a member, and the queue. */
async function screen() {
  const lines = await Promise.all(
    members.map(async ({ name, port, isGone, said }) => {
      const where = `${name.padEnd(12)} port ${String(port).padEnd(6)}`;
      if (isGone) return `${where} ended: ${said.trim().split('\n').at(-1) ?? ''}`;
      if (name === 'redis') return `${where} runs`;
      // Through the balancer this reaches a gateway, so it fails until one takes requests.
      const ready = await ask(port, '/readyz');
      if (name === 'balancer') return `${where} ${ready.ok ? 'ready' : 'not yet'}`;
      const { text } = await ask(port, '/metrics');
      const work = name.startsWith('gateway')
        ? `${sample(text, 'llm_requests_total')} requests`
        : `${sample(text, 'sluice_engine_tokens_total')} tokens, pages ${sample(text, 'sluice_kv_pages')}`;
      return `${where} ${ready.ok ? 'ready ' : 'not yet'} ${work}`;
    }),
  );
  const { text } = await ask(members.find(({ name }) => name === 'gateway-1').port, '/metrics');
  const places = sample(text, 'sluice_cluster_places');
  lines.push(
    '',
    `queue: ${sample(text, 'sluice_cluster_waiting')} waiting, ${sample(text, 'sluice_cluster_running')} running of ` +
      `${places}`,
    '',
  );
  const { ok: takesRequests } = await ask(Number(options.port), '/readyz');
  if (!takesRequests || places === 0)
    return [...lines, 'Not ready: wait for the balancer and a worker.'].join('\n');
  lines.push(
    `ready: http://127.0.0.1:${options.port}`,
    `Try: curl http://127.0.0.1:${options.port}/v1/completions -H 'content-type: application/json' \\`,
    `       -d '{"prompt": "The capital of France is", "max_tokens": 16}'`,
    'Kill a worker while it answers (kill -9), and watch the stream go on. Ctrl-C ends all.',
  );
  return lines.join('\n');
}

const redisPort = await freePort();
const redisUrl = `redis://127.0.0.1:${redisPort}`;
start(
  'redis',
  'redis-server',
  ['--bind', '127.0.0.1', '--port', String(redisPort), '--appendonly', 'yes', '--dir', folder],
  redisPort,
);
const gateways = [];
for (let number = 1; number <= Number(options.workers); number += 1)
  sluice(`worker-${number}`, await freePort(), 'worker', '--model', options.model);
for (let number = 1; number <= Number(options.gateways); number += 1) {
  const data = join(folder, `gateway-${number}`);
  mkdirSync(data);
  gateways.push(sluice(`gateway-${number}`, await freePort(), 'gateway', '--data', data));
}
balancer(gateways);

let shown = '';
const refresh = setInterval(async () => {
  const now = await screen();
  if (now === shown) return;
  shown = now;
  process.stdout.write(process.stdout.isTTY ? `\u001b[2J\u001b[H${now}\n` : `${now}\n\n`);
}, 1000);

let stopping = false;
async function stop() {
  if (stopping) return;
  stopping = true;
  clearInterval(refresh);
  // Workers and gateways first: they say goodbye over Redis.
  for (const { child, name } of members) if (name !== 'redis') child.kill('SIGTERM');
  await Promise.all(
    members
      .filter(({ name, isGone }) => name !== 'redis' && !isGone)
      .map(({ child }) => new Promise((resolve) => child.once('exit', resolve))),
  );
  members[0].child.kill('SIGTERM');
  await new Promise((resolve) => members[0].child.once('exit', resolve));
  rmSync(folder, { recursive: true, force: true });
  process.exit(0);
}
process.on('SIGINT', stop);
process.on('SIGTERM', stop);
