import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Random } from '../../test/sim/random.js';
import { StepTimeModel } from './step-time.js';

/** A machine with these costs, seen through steps of many shapes with 5 % of noise. */
function trained(baseMs: number, perTokenMs: number, perContextMs: number, perOutputMs = 0): StepTimeModel {
  const random = new Random(3);
  const model = new StepTimeModel();
  for (let i = 0; i < 400; i++) {
    const tokens = random.chance(0.5) ? random.int(1, 32) : random.int(32, 512);
    const context = tokens * random.int(1, 4_000);
    const outputs = random.int(1, Math.min(tokens, 64));
    const exact = baseMs + perTokenMs * tokens + perContextMs * context + perOutputMs * outputs;
    model.observe({ tokens, outputs, context }, exact * (0.95 + 0.1 * random.unit()));
  }
  return model;
}

test('learns the costs from noisy steps', () => {
  const model = trained(12, 1.1, 1e-4, 2);
  for (const shape of [
    { tokens: 8, outputs: 8, context: 4_000 },
    { tokens: 64, outputs: 32, context: 64_000 },
    { tokens: 512, outputs: 1, context: 512 * 256 },
  ]) {
    const exact = 12 + 1.1 * shape.tokens + 1e-4 * shape.context + 2 * shape.outputs;
    const predicted = model.predictMs(shape);
    assert.ok(Math.abs(predicted - exact) < 0.15 * exact, `${predicted} ms for ${exact} ms`);
  }
});

test('the chunk it allows is the largest that is predicted to stay within the target', () => {
  const model = trained(12, 1.1, 1e-4);
  const shape = { tokens: 8, outputs: 8, context: 4_000 };
  for (const from of [0, 1_000, 30_000]) {
    const count = model.promptTokensWithin(90, shape, from);
    const withChunk = (n: number) =>
      model.predictMs({
        ...shape,
        tokens: shape.tokens + n,
        context: shape.context + n * from + (n * n) / 2,
      });
    assert.ok(count > 0);
    assert.ok(withChunk(count) <= 90 + 1e-6 && withChunk(count + 1) > 90, `${count} tokens from ${from}`);
  }
  assert.ok(model.promptTokensWithin(90, shape, 30_000) < model.promptTokensWithin(90, shape, 0));
});

test('nothing fits a target that the decodes alone exceed', () => {
  assert.equal(
    trained(12, 1.1, 1e-4).promptTokensWithin(10, { tokens: 8, outputs: 8, context: 4_000 }, 0),
    0,
  );
});

test('a long run of one shape forgets nothing that it does not show', () => {
  const model = trained(12, 1.1, 1e-4);
  const before = model.predictMs({ tokens: 512, outputs: 1, context: 512 * 256 });
  for (let i = 0; i < 5_000; i++) model.observe({ tokens: 8, outputs: 8, context: 4_000 }, 21.2);
  const after = model.predictMs({ tokens: 512, outputs: 1, context: 512 * 256 });
  assert.ok(Math.abs(after - before) < 0.25 * before, `${before} ms became ${after} ms`);
});

test('follows a machine that becomes slower', () => {
  const model = trained(12, 1.1, 1e-4);
  for (let i = 0; i < 100; i++)
    model.observe({ tokens: 8 + (i % 2) * 64, outputs: 8, context: 4_000 }, 2 * (21 + (i % 2) * 70));
  const predicted = model.predictMs({ tokens: 72, outputs: 8, context: 4_000 });
  assert.ok(Math.abs(predicted - 182) < 20, `${predicted} ms`);
});

test('what decodes cost alone is remembered while prompts are read beside them', () => {
  const model = trained(12, 1.1, 0, 0);
  const decodes = { tokens: 8, outputs: 8, context: 4_000 };
  for (let i = 0; i < 50; i++) model.observe(decodes, 20);
  // One shape only, and slow: the decodes' part of it can't be told.
  for (let i = 0; i < 500; i++) model.observe({ tokens: 60, outputs: 8, context: 90_000 }, 120);
  const alone = model.predictDecodesMs(decodes);
  assert.ok(alone <= 20 + 1e-6, `${alone} ms`);
  assert.ok(model.predictDecodesMs({ ...decodes, tokens: 16, outputs: 16 }) <= 40 + 1e-6, 'twice as many');
});

test('costs that rise from step to step are known by how far the last were off, and delays are not costs', () => {
  const model = trained(12, 1.1, 0);
  const shape = { tokens: 40, outputs: 8, context: 0 };
  assert.ok(Math.abs(model.promptError - 1) < 0.03, `${model.promptError} at first`);
  const msAt = (step: number) => 12 + shape.tokens * (1.1 + 0.006 * step);
  for (let step = 1; step <= 40; step++) model.observe(shape, msAt(step));
  const nextMs = msAt(41);
  const [predicted, corrected] = [model.predictMs(shape), model.predictMs(shape) * model.promptError];
  assert.ok(predicted < 0.95 * nextMs, `${predicted} ms for ${nextMs} ms`);
  assert.ok(Math.abs(corrected - nextMs) < 0.03 * nextMs, `${corrected} ms for ${nextMs} ms`);
  const before = model.promptError;
  model.observe(shape, 10 * nextMs);
  assert.equal(model.promptError, before);
});
