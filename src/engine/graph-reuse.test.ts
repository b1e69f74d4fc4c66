/** Continuous batching on a real context: how often a step finds its graph built already. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseLengths, sampleLength } from '../../bench/workload/lengths.js';
import { seededRandom } from '../../bench/workload/random.js';
import { request, smallConfig } from '../../test/sim/core.js';
import { fixture } from '../../test/support/gguf/fixtures.js';
import { createContext, loadModel } from '../../test/support/native.js';
import type { Batch, NativeContext } from '../native/types.js';
import { EngineCore } from './step-loop.js';

const clients = 16;
const requests = 96;
const random = seededRandom(7);
const promptLengths = parseLengths('lognormal:40,1,200');
const answerLengths = parseLengths('lognormal:80,1,300');

test('16 clients who come and go find 95 % of the decode steps built', async (t) => {
  const model = await loadModel(fixture('llama'));
  const sizes = {
    pageSize: 16,
    pages: 640,
    maxSequences: clients,
    maxPagesPerSequence: 40,
    maxBatchTokens: 256,
    maxOutputs: clients + 8,
  };
  let native: NativeContext | undefined;
  let sent = 0;
  const send = () => {
    if (sent === requests) return;
    const prompt = Int32Array.from(
      { length: sampleLength(promptLengths, random) },
      () => 20 + Math.floor(random() * 400),
    );
    core.submit(request({ id: `r${sent++}`, prompt, maxTokens: sampleLength(answerLengths, random) }));
  };
  let isDecode = false;
  const core = new EngineCore({
    config: { ...smallConfig, ...sizes, maxContext: 640 },
    vocab: model.vocab(),
    createContext: (blockTables) => {
      native = createContext(model, { ...sizes, blockTables });
      const forward = native.forward.bind(native);
      const value = (batch: Batch) => {
        isDecode = batch.outputs.subarray(0, batch.count).every((wanted) => wanted === 1);
        forward(batch);
      };
      return Object.defineProperty(native, 'forward', { value });
    },
    createStore: () => null,
    nowMs: () => 0,
    emit: (events) => {
      for (const { type } of events) if (type === 'done') send();
    },
    onFault: (error) => assert.ifError(error),
  });
  for (let i = 0; i < clients; i++) send();
  const decodes = { steps: 0, reused: 0 };
  while (core.hasWork) {
    const before = native!.graphsReused();
    core.step();
    if (!isDecode) continue;
    decodes.steps++;
    decodes.reused += native!.graphsReused() - before;
  }
  const { steps, graphsReused } = core.stats();
  native!.close();
  model.close();
  const decodeShare = decodes.reused / decodes.steps;
  const share = graphsReused / steps;
  t.diagnostic(
    `${(decodeShare * 100).toFixed(1)} % of ${decodes.steps} decode steps, ${(share * 100).toFixed(1)} % of all ${steps}`,
  );
  assert.ok(decodes.steps > 300);
  assert.ok(decodeShare >= 0.95);
  assert.ok(share >= 0.8, 'prompts included');
});
