import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile, stat } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import test, { type TestContext } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { ModelStore } from '../../src/models/index.js';
import { planReferencePull } from '../../src/models/pull.js';
import { parseReference } from '../../src/models/reference.js';
import { sendFile, TestServer } from './support/file-server.js';
import { someBytes, temporaryDirectory } from './support/setup.js';

const body = someBytes(2_000_000);
const half = 1_000_000;
const script = fileURLToPath(new URL('./support/pull-child.js', import.meta.url));

class Puller {
  readonly #process: ChildProcess;
  readonly #exit: Promise<unknown>;
  #output = '';

  constructor(t: TestContext, ref: string, cache: string) {
    this.#process = spawn(process.execPath, [script, ref], { env: { ...process.env, SLUICE_CACHE: cache } });
    this.#process.stdout!.on('data', (chunk) => {
      this.#output += chunk;
    });
    this.#exit = once(this.#process, 'close');
    t.after(() => this.#process.kill('SIGKILL'));
  }

  /** Resolves with the first line of its standard error that matches. */
  async said(pattern: RegExp): Promise<string> {
    for await (const line of createInterface({ input: this.#process.stderr! })) {
      if (pattern.test(line)) return line;
    }
    throw new Error(`ended without saying ${pattern}`);
  }

  /** The path it printed; its exit status must be 0. */
  async path(): Promise<string> {
    await this.#exit;
    assert.equal(this.#process.exitCode, 0);
    return this.#output.trim();
  }

  async kill(): Promise<void> {
    this.#process.kill('SIGKILL');
    await this.#exit;
  }
}

/** The first request stops in the middle until `release`; the others are answered whole. */
async function holdingServer(t: TestContext) {
  let release = () => {};
  const server = await TestServer.start((request, response, count) => {
    sendFile(request, response, { body, etag: '"a"', ...(count === 0 ? { holdAfter: half } : {}) });
    if (count === 0) release = () => response.end(body.subarray(half));
  });
  t.after(() => server[Symbol.asyncDispose]());
  return { server, ref: `${server.origin}/x.gguf`, release: () => release() };
}

async function untilHalfIsWritten(ref: string, cache: string): Promise<void> {
  const reference = parseReference(ref);
  assert.ok(reference.kind === 'url');
  const part = `${cache}/models/${planReferencePull(ref, reference).name}/x.gguf.part`;
  while ((await stat(part).catch(() => null))?.size !== half) await delay(5);
}

test('two processes that pull the same model fetch it once', async (t) => {
  const cache = await temporaryDirectory(t);
  const { server, ref, release } = await holdingServer(t);
  const first = new Puller(t, ref, cache);
  await untilHalfIsWritten(ref, cache);
  const second = new Puller(t, ref, cache);
  await second.said(/another process is pulling/);
  release();
  assert.equal(await first.path(), await second.path());
  assert.deepEqual(await readFile(await first.path()), body);
  assert.equal(server.requests.length, 1);
});

test('a process killed in the middle leaves no model, and the next one goes on from there', async (t) => {
  const cache = await temporaryDirectory(t);
  const { server, ref } = await holdingServer(t);
  const first = new Puller(t, ref, cache);
  await untilHalfIsWritten(ref, cache);
  await first.kill();
  assert.deepEqual(await new ModelStore(`${cache}/models`).list(), []);
  const second = new Puller(t, ref, cache);
  assert.deepEqual(await readFile(await second.path()), body);
  assert.deepEqual(server.ranges, [null, `bytes=${half}-`]);
});

test('a process that waits takes over when the pulling one is killed', async (t) => {
  const cache = await temporaryDirectory(t);
  const { server, ref } = await holdingServer(t);
  const first = new Puller(t, ref, cache);
  await untilHalfIsWritten(ref, cache);
  const waiting = [new Puller(t, ref, cache), new Puller(t, ref, cache)];
  await Promise.all(waiting.map((puller) => puller.said(/another process is pulling/)));
  await first.kill();
  for (const puller of waiting) assert.deepEqual(await readFile(await puller.path()), body);
  assert.deepEqual(server.ranges, [null, `bytes=${half}-`]);
});
