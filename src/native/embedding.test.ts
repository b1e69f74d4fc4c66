import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { tinyEncoder, tinyMaxTokens, tinyPieces, tinySize } from '../../test/support/checkpoint.js';
import { fixture } from '../../test/support/gguf/fixtures.js';
import { cpuAddon, createContext, loadModel } from '../../test/support/native.js';
import type { NativeEmbeddingContext, NativeModel } from './types.js';

const options = { maxTexts: 4, maxBatchTokens: 100, threads: 1 };

let model: NativeModel;
let context: NativeEmbeddingContext;
before(async () => {
  model = await loadModel(await tinyEncoder());
  context = cpuAddon().createEmbeddingContext(model, options);
});
after(() => {
  context.close();
  model.close();
});

function embed(...texts: Int32Array[]): Float32Array[] {
  const tokens = Int32Array.from(texts.flatMap((text) => [...text]));
  const vectors = new Float32Array(texts.length * context.size);
  context.embed(
    tokens,
    Int32Array.from(texts, ({ length }) => length),
    vectors,
  );
  return texts.map((_, row) => vectors.subarray(row * context.size, (row + 1) * context.size));
}

const dot = (a: Float32Array, b: Float32Array) => a.reduce((sum, value, i) => sum + value * b[i]!, 0);

describe('embedding', () => {
  test('WordPiece: lower case, continued words, unknown characters, its own tokens around', () => {
    const tokens = [...model.tokenize('The CAT sats, ж', true, false)];
    assert.deepEqual(
      tokens.map((token) => tinyPieces[token]),
      ['[CLS]', 'the', 'cat', 'sat', '##s', ',', '[UNK]', '[SEP]'],
    );
  });

  test('vectors have length 1 and differ between texts', () => {
    const [cat, world] = embed(
      model.tokenize('the cat', true, false),
      model.tokenize('hello world', true, false),
    );
    assert.equal(context.size, tinySize);
    assert.ok(Math.abs(dot(cat!, cat!) - 1) < 1e-5);
    assert.ok(dot(cat!, world!) < 0.99);
  });

  test('a text has the same vector alone and in a batch, at any place', () => {
    const texts = ['the cat sat on the mat', 'hello', 'a b c d e f g h i j', 'world, hello!'].map((text) =>
      model.tokenize(text, true, false),
    );
    const together = embed(...texts);
    for (const [i, text] of texts.entries())
      assert.ok(dot(embed(text)[0]!, together[i]!) > 0.9999, String(i));
    assert.ok(dot(embed(...texts.toReversed())[3]!, together[0]!) > 0.9999);
  });

  test('a text may be as long as the model was trained for, and no longer', () => {
    assert.equal(context.maxTextTokens, tinyMaxTokens);
    assert.equal(embed(new Int32Array(tinyMaxTokens).fill(5)).length, 1);
    assert.throws(() => embed(new Int32Array(tinyMaxTokens + 1).fill(5)), RangeError);
  });

  test('what would read or write beyond its arrays is refused before anything runs', () => {
    const one = Int32Array.of(2, 3);
    const room = new Float32Array(4 * tinySize);
    const cases: [Int32Array, Int32Array, Float32Array][] = [
      [one, Int32Array.of(3), room], // more than there are
      [one, Int32Array.of(1), room], // fewer
      [one, Int32Array.of(0, 2), room],
      [one, Int32Array.of(-1, 3), room],
      [one, Int32Array.of(), room],
      [one, Int32Array.of(1, 1), new Float32Array(tinySize)],
      [Int32Array.of(2, 100_000), Int32Array.of(2), room],
      [Int32Array.of(2, -1), Int32Array.of(2), room],
      [new Int32Array(5).fill(2), Int32Array.of(1, 1, 1, 1, 1), room], // more texts than maxTexts
      [new Int32Array(120).fill(2), Int32Array.of(60, 60), room], // more tokens than maxBatchTokens
    ];
    for (const [tokens, lengths, vectors] of cases)
      assert.throws(() => context.embed(tokens, lengths, vectors), RangeError);
    assert.throws(() => context.embed(one, Int32Array.of(2), [] as never), TypeError);
  });

  test('a model that generates text is no encoder, and an encoder generates none', async () => {
    const decoder = await loadModel(fixture('llama'));
    assert.throws(() => cpuAddon().createEmbeddingContext(decoder, options), { code: 'CONTEXT_FAILED' });
    decoder.close();
    assert.throws(() => createContext(model), { code: 'CONTEXT_FAILED' });
  });

  test('a closed context says so', () => {
    const closed = cpuAddon().createEmbeddingContext(model, options);
    closed.close();
    assert.throws(() => closed.embed(Int32Array.of(2), Int32Array.of(1), new Float32Array(tinySize)), {
      code: 'CLOSED',
    });
  });
});
