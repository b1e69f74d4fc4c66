import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Random } from '../../test/sim/random.js';
import { VocabFlag, type VocabTable } from '../native/types.js';
import { Detokenizer, Pieces } from './detokenizer.js';

function vocabOf(pieces: Uint8Array[], flags: number[] = []): VocabTable {
  const offsets = new Uint32Array(pieces.length + 1);
  for (const [i, piece] of pieces.entries()) offsets[i + 1] = offsets[i]! + piece.length;
  return {
    bytes: Uint8Array.from(pieces.flatMap((piece) => Array.from(piece))),
    offsets,
    flags: Uint8Array.from(pieces, (_, i) => flags[i] ?? 0),
  };
}

/** The texts that come out for pieces cut from `bytes` at the given places, and at the end. */
function stream(bytes: Uint8Array, cuts: number[]): string[] {
  const ends = [...cuts, bytes.length];
  const pieces = ends.map((end, i) => bytes.subarray(ends[i - 1] ?? 0, end));
  const detokenizer = new Detokenizer(new Pieces(vocabOf(pieces)));
  return [...pieces.map((_, token) => detokenizer.push(token)), detokenizer.flush()];
}

const whole = (bytes: Uint8Array) => new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes);

test('a character split over tokens comes out whole', () => {
  const bytes = new TextEncoder().encode('a€😀é');
  assert.deepEqual(stream(bytes, [2, 3, 5, 6, 9]), ['a', '', '€', '', '😀', 'é', '']);
});

test('what never becomes a character is U+FFFD at the end', () => {
  assert.deepEqual(stream(Uint8Array.of(0x61, 0xf0, 0x9f, 0x98), [1, 2]), ['a', '', '', '\uFFFD']);
});

test('bytes that can never become a character are not held back', () => {
  assert.deepEqual(stream(Uint8Array.of(0xe0, 0x80, 0x41), [2]), ['\uFFFD\uFFFD', 'A', '']);
  assert.deepEqual(stream(Uint8Array.of(0xed, 0xa0, 0x41), [2]), ['\uFFFD\uFFFD', 'A', '']);
  assert.deepEqual(stream(Uint8Array.of(0xf4, 0x90, 0x41), [2]), ['\uFFFD\uFFFD', 'A', '']);
  assert.deepEqual(stream(Uint8Array.of(0xc0, 0xff, 0xf5), [1, 2]), ['\uFFFD', '\uFFFD', '\uFFFD', '']);
});

test('a byte order mark is text like any other', () => {
  assert.equal(stream(new TextEncoder().encode('\uFEFFa\uFEFF'), [1]).join(''), '\uFEFFa\uFEFF');
});

test('joined pieces equal the whole text, for random bytes and cuts', () => {
  const random = new Random(11);
  const interesting = [
    0x41, 0x7f, 0x80, 0x9f, 0xa0, 0xbf, 0xc0, 0xc2, 0xdf, 0xe0, 0xe2, 0xed, 0xf0, 0xf3, 0xf4, 0xf5, 0xff,
  ];
  for (let round = 0; round < 5_000; round++) {
    const bytes = Uint8Array.from({ length: random.int(0, 12) }, () => random.pick(interesting));
    const cuts = Array.from({ length: random.int(0, 6) }, () => random.int(0, bytes.length)).sort(
      (a, b) => a - b,
    );
    assert.equal(stream(bytes, cuts).join(''), whole(bytes), `bytes ${bytes} cut at ${cuts}`);
  }
});

test('control tokens have no text, unless it is asked for', () => {
  const pieces = ['a', '<end>', '<control>'].map((text) => new TextEncoder().encode(text));
  const table = new Pieces(vocabOf(pieces, [0, VocabFlag.endOfGeneration, VocabFlag.control]));
  const textsOf = (detokenizer: Detokenizer) => [0, 1, 2, 0].map((token) => detokenizer.push(token));
  assert.deepEqual(textsOf(new Detokenizer(table)), ['a', '', '', 'a']);
  assert.deepEqual(textsOf(new Detokenizer(table, new Set([0, 2]))), ['a', '', '<control>', 'a']);
});
