import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { tinyEncoder } from '../../test/support/checkpoint.js';
import { adaptedFixture, corruptFixture, fixture } from '../../test/support/gguf/fixtures.js';
import { cpuAddon, loadModel } from '../../test/support/native.js';
import type { HiddenStatesOptions, NativeModel } from './types.js';

const options = { layers: [1], maxTokens: 16, threads: 1 };
const tokens = Int32Array.of(1, 7, 23, 42, 5, 9);

let model: NativeModel;
before(async () => {
  model = await loadModel(fixture('llama'));
});
after(() => model.close());

/** By token and layer. */
function read(given: Int32Array, changes: Partial<HiddenStatesOptions> = {}, of = model): Float32Array[][] {
  const all = { ...options, ...changes };
  const context = cpuAddon().createHiddenStates(of, all);
  const { size } = context;
  const states = new Float32Array(given.length * all.layers.length * size);
  context.read(given, states);
  context.close();
  return Array.from(given, (_, token) =>
    all.layers.map((__, layer) => {
      const row = token * all.layers.length + layer;
      return states.subarray(row * size, (row + 1) * size);
    }),
  );
}

const meanProduct = (a: Float32Array, b: Float32Array) =>
  a.reduce((sum, value, index) => sum + value * b[index]!, 0) / a.length;

describe('hidden states', () => {
  test('have a root mean square of 1, and one token has not the states of another', () => {
    const states = read(tokens).map(([only]) => only!);
    assert.equal(states[0]!.length, model.info.embeddingSize);
    for (const state of states) assert.ok(Math.abs(meanProduct(state, state) - 1) < 1e-5);
    assert.ok(meanProduct(states[1]!, states[2]!) < 0.99);
  });

  test('know what came before a token, and nothing of what comes after', () => {
    const whole = read(tokens);
    const start = read(tokens.subarray(0, 4));
    for (const [token, [state]] of start.entries())
      assert.ok(meanProduct(state!, whole[token]![0]!) > 0.9999, String(token));
    const other = read(Int32Array.of(1, 8, ...tokens.subarray(2)));
    assert.ok(meanProduct(other[0]![0]!, whole[0]![0]!) > 0.9999);
    assert.ok(meanProduct(other[5]![0]!, whole[5]![0]!) < 0.9999);
  });

  test('of several layers are those of each', async () => {
    const deep = await loadModel(fixture('gemma3-swa'));
    assert.ok(deep.info.layers > 2);
    const context = cpuAddon().createHiddenStates(deep, { ...options, layers: [1, 2] });
    const both = new Float32Array(tokens.length * 2 * context.size);
    context.read(tokens, both);
    for (const [index, layer] of [1, 2].entries()) {
      const alone = cpuAddon().createHiddenStates(deep, { ...options, layers: [layer] });
      const states = new Float32Array(tokens.length * alone.size);
      alone.read(tokens, states);
      for (let token = 0; token < tokens.length; token += 1) {
        const row = (token * 2 + index) * context.size;
        const expected = states.subarray(token * alone.size, (token + 1) * alone.size);
        assert.ok(meanProduct(both.subarray(row, row + context.size), expected) > 0.9999);
      }
      alone.close();
    }
    assert.ok(
      meanProduct(both.subarray(0, context.size), both.subarray(context.size, 2 * context.size)) < 0.9999,
    );
    context.close();
    deep.close();
  });

  test('of an adapter are those of a model that has its changes in the weights, which stay as they are for others', async () => {
    const paths = adaptedFixture('gemma3-swa');
    const [plain, merged] = await Promise.all([loadModel(fixture('gemma3-swa')), loadModel(paths.model)]);
    const layers = [1, 2];
    const before = read(tokens, { layers }, plain);
    const adapted = read(tokens, { layers, adapter: paths.adapter }, plain);
    const expected = read(tokens, { layers }, merged);
    for (const [token, states] of adapted.entries())
      for (const [layer, state] of states.entries())
        assert.ok(meanProduct(state, expected[token]![layer]!) > 0.999999, `${token} ${layer}`);
    assert.ok(meanProduct(adapted[3]![1]!, before[3]![1]!) < 0.999);
    assert.deepEqual(read(tokens, { layers }, plain), before);
    plain.close();
    merged.close();
  });

  test('with an adapter of another model, or with none in the file, are refused', async () => {
    const { adapter } = adaptedFixture('gemma3-swa');
    const create = (path: string) => cpuAddon().createHiddenStates(model, { ...options, adapter: path });
    assert.throws(() => create(adapter), { code: 'CONTEXT_FAILED', message: /arch/ });
    assert.throws(() => create(fixture('llama')), { code: 'CONTEXT_FAILED', message: /adapter/ });
    assert.throws(() => create(`${adapter}.none`), { code: 'MODEL_NOT_FOUND' });
    assert.throws(() => create(corruptFixture('llama', 'truncated-header')), { code: 'MODEL_INVALID' });
    assert.throws(() => create(5 as never), TypeError);
  });

  test('what would read or write beyond its arrays is refused before anything runs', () => {
    const context = cpuAddon().createHiddenStates(model, options);
    const room = new Float32Array(16 * context.size);
    assert.throws(() => context.read(Int32Array.of(), room), RangeError);
    assert.throws(
      () => context.read(new Int32Array(17).fill(1), new Float32Array(17 * context.size)),
      RangeError,
    );
    assert.throws(() => context.read(Int32Array.of(1, model.info.vocabSize), room), RangeError);
    assert.throws(() => context.read(Int32Array.of(-1), room), RangeError);
    assert.throws(() => context.read(tokens, new Float32Array(tokens.length * context.size - 1)), RangeError);
    assert.throws(() => context.read([1] as never, room), TypeError);
    context.close();
    assert.throws(() => context.read(tokens, room), { code: 'CLOSED' });
  });

  test('are asked for before the last layer, in ascending order', () => {
    const create = (layers: number[]) => cpuAddon().createHiddenStates(model, { ...options, layers });
    assert.throws(() => create([model.info.layers]), { code: 'CONTEXT_FAILED' });
    for (const layers of [[], [0], [1, 1], [2, 1], Array.from({ length: 9 }, (_, index) => index + 1)])
      assert.throws(() => create(layers), RangeError, JSON.stringify(layers));
  });

  test('an encoder has none', async () => {
    const encoder = await loadModel(await tinyEncoder());
    assert.throws(() => cpuAddon().createHiddenStates(encoder, options), { code: 'CONTEXT_FAILED' });
    encoder.close();
  });
});
