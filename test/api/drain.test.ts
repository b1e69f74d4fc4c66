import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { WebSocket } from 'ws';
import { isEcho } from '../../src/cli/stop-signals.js';
import { SluiceClient } from '../../src/client/index.js';
import { eventually } from '../support/eventually.js';
import { sseEvents } from '../support/server.js';

const entry = fileURLToPath(new URL('../support/stub-process.js', import.meta.url));

async function start(options: object): Promise<{ child: ChildProcess; url: string; port: number }> {
  const child = spawn(process.execPath, [entry, JSON.stringify(options)], {
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const [port] = await once(createInterface(child.stdout!), 'line');
  return { child, url: `http://127.0.0.1:${port}`, port: Number(port) };
}

function complete(url: string, body: object): Promise<Response> {
  const headers = { 'content-type': 'application/json' };
  return fetch(`${url}/v1/completions`, { method: 'POST', headers, body: JSON.stringify(body) });
}

async function notReady(url: string): Promise<void> {
  await eventually(async () => (await fetch(`${url}/readyz`)).status === 503);
}

test('SIGTERM: what runs finishes, what is new is refused, the exit code is 0', async () => {
  const { child, url, port } = await start({ delayMs: 5 });
  const exited = once(child, 'exit');
  const running = await complete(url, { prompt: 'a', max_tokens: 200, stream: true });
  child.kill('SIGUSR2'); // it runs until it's told to go on
  const idle = new WebSocket(`ws://127.0.0.1:${port}/v1/stream`);
  await once(idle, 'open');
  const idleClosed = once(idle, 'close');
  child.kill('SIGTERM');
  await notReady(url);
  assert.equal((await idleClosed)[0], 1001);
  const refused = await complete(url, { prompt: 'b' });
  assert.equal(refused.status, 503);
  assert.equal(refused.headers.get('retry-after'), '5');
  assert.equal(((await refused.json()) as { error: { code: string } }).error.code, 'shutting_down');
  assert.equal((await fetch(`${url}/healthz`)).status, 200);
  child.kill('SIGUSR2');
  const events = await sseEvents(running);
  assert.equal(events.at(-1), '[DONE]');
  assert.equal(events.length, 202, '200 tokens, the finish, [DONE]');
  assert.deepEqual(await exited, [0, null]);
});

test('requests that outlast the drain are told so, each in its own way', async () => {
  const { child, url } = await start({ delayMs: 5, settings: { 'server.drainTimeoutMs': 500 } });
  const exited = once(child, 'exit');
  const client = await SluiceClient.connect(url, { WebSocket });
  const running = await complete(url, { prompt: 'a', stream: true });
  const whole = complete(url, { prompt: 'a' });
  const generations = [1, 2].map(() => client.complete({ prompt: 'a' }).done);
  child.kill('SIGINT');
  for (const generation of generations)
    await assert.rejects(generation, { code: 'shutting_down', retryAfterSeconds: 5 });
  const events = (await sseEvents(running)) as { error?: { code: string; retry_after_seconds: number } }[];
  assert.equal(events.at(-1), '[DONE]');
  assert.equal(events.at(-2)!.error?.code, 'shutting_down');
  assert.equal(events.at(-2)!.error?.retry_after_seconds, 5);
  const refused = await whole;
  assert.equal(refused.status, 503);
  assert.equal(refused.headers.get('retry-after'), '5');
  assert.equal(((await refused.json()) as { error: { code: string } }).error.code, 'shutting_down');
  assert.deepEqual(await exited, [0, null]);
});

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  test(`a second ${signal} ends the process, by that signal`, async () => {
    const { child, url } = await start({ delayMs: 5 });
    const exited = once(child, 'exit');
    const running = await complete(url, { prompt: 'a', stream: true });
    const other = signal === 'SIGINT' ? 'SIGTERM' : 'SIGINT';
    child.kill(other);
    await notReady(url);
    child.kill(signal);
    assert.deepEqual(await exited, [null, signal]);
    await assert.rejects(running.text());
  });
}

test('the same signal at once after the first is npm’s echo of it', () => {
  const first = { signal: 'SIGINT', atMs: 1000 } as const;
  assert.equal(isEcho(first, { signal: 'SIGINT', atMs: 1010 }), true);
  assert.equal(isEcho(first, { signal: 'SIGTERM', atMs: 1010 }), false);
  assert.equal(isEcho(first, { signal: 'SIGINT', atMs: 2000 }), false);
});

test('the same signal again and again ends the process', async () => {
  const { child, url } = await start({ delayMs: 5 });
  const exited = once(child, 'exit');
  const running = await complete(url, { prompt: 'a', stream: true });
  child.kill('SIGINT');
  await notReady(url);
  await eventually(() => !child.kill('SIGINT') || child.signalCode !== null);
  assert.deepEqual(await exited, [null, 'SIGINT']);
  await assert.rejects(running.text());
});
