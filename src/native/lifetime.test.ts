import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { describe, test } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { Worker } from 'node:worker_threads';
import { fixture } from '../../test/support/gguf/fixtures.js';
import { cpuAddon, createContext, forward, loadModel, promptRows } from '../../test/support/native.js';

const workerFile = new URL('../../test/support/native-worker.js', import.meta.url);

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

/** Over 200 cycles: 10 kB a cycle. A leaked context would be 2 MiB, its KV pool, a leaked model 1 MiB. */
const flatBytes = 2 * 2 ** 20;

describe('memory', () => {
  test('200 cycles of load, context, forward and free leave it flat', async () => {
    const prompt = Int32Array.from({ length: 16 }, (_, index) => index + 3);
    async function cycles(count: number): Promise<number> {
      for (let i = 0; i < count; i++) {
        const model = await loadModel(fixture('llama'));
        const context = createContext(model);
        forward(context, promptRows(prompt, 0));
        context.close();
        model.close();
      }
      collectGarbage(); // handles of what was closed are small, but theirs is not the memory meant here
      return process.memoryUsage.rss();
    }
    let before = await cycles(50);
    const growthsBytes: number[] = [];
    // A leak grows in every block. What malloc's arenas take, tens of MB at first, ends: 2,600 cycles were flat.
    do {
      const after = await cycles(200);
      growthsBytes.push(after - before);
      before = after;
    } while (growthsBytes.at(-1)! >= flatBytes && growthsBytes.length < 8);
    assert.ok(growthsBytes.at(-1)! < flatBytes, `grew by ${growthsBytes} bytes`);
    assert.deepEqual(cpuAddon().counters(), { models: 0, modelReferences: 0, contexts: 0 });
  });
});

async function ended(worker: Worker): Promise<void> {
  await worker.terminate();
}

describe('a worker that is terminated', () => {
  test('in the middle of forward frees what it had', async () => {
    for (let i = 0; i < 5; i++) {
      const worker = new Worker(workerFile, { workerData: { path: fixture('llama-bench'), job: 'forward' } });
      // Sent from within the loop of steps: the next forward() is about to run or running.
      await once(worker, 'message');
      await ended(worker);
    }
    assert.deepEqual(cpuAddon().counters(), { models: 0, modelReferences: 0, contexts: 0 });
  });

  test('while it loads ends the load', async () => {
    for (let i = 0; i < 5; i++) {
      const worker = new Worker(workerFile, { workerData: { path: fixture('llama-bench'), job: 'load' } });
      await once(worker, 'message');
      await ended(worker);
    }
    assert.deepEqual(cpuAddon().counters(), { models: 0, modelReferences: 0, contexts: 0 });
  });

  test('leaves a model that others hold', async () => {
    const model = await loadModel(fixture('llama-bench'));
    const worker = new Worker(workerFile, { workerData: { path: fixture('llama-bench'), job: 'forward' } });
    await once(worker, 'message');
    assert.equal(cpuAddon().counters().models, 1);
    await ended(worker);
    assert.deepEqual(cpuAddon().counters(), { models: 1, modelReferences: 1, contexts: 0 });
    assert.ok(model.tokenize('still here', false, false).length > 0);
    model.close();
  });
});

test('threads share one model', async () => {
  const workers = Array.from(
    { length: 3 },
    () => new Worker(workerFile, { workerData: { path: fixture('llama-bench'), job: 'forward' } }),
  );
  await Promise.all(workers.map((worker) => once(worker, 'message')));
  assert.equal(cpuAddon().counters().models, 1);
  assert.equal(cpuAddon().counters().contexts, 3);
  await Promise.all(workers.map(ended));
  assert.equal(cpuAddon().counters().models, 0);
});

test('a process may exit while a worker computes and a model loads', async () => {
  const script = `
    const { Worker } = require('node:worker_threads');
    const path = ${JSON.stringify(fixture('llama-bench'))};
    const start = (job) => new Worker(new URL(${JSON.stringify(workerFile.href)}), { workerData: { path, job } });
    start('forward').once('message', () => start('load').once('message', () => process.exit(7)));`;
  const child = spawn(process.execPath, ['-e', script], { stdio: 'inherit' });
  const [code, signal] = await once(child, 'close');
  assert.deepEqual([code, signal], [7, null]);
});
