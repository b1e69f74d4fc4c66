import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ModelInfo } from '../native/types.js';
import { type Machine, resolveSizes } from './sizing.js';
import type { EngineConfig } from './types.js';

const GiB = 2 ** 30;

/** Gemma 3 270M's shape, as if all of its 18 layers saw everything: one KV head of 256, at f16 18 kB a token. */
const model = {
  sizeBytes: 0.25 * GiB,
  trainContext: 32_768,
  layers: 18,
  kvCell: { keys: 18 * 256, values: 18 * 256 },
  window: null,
} as unknown as ModelInfo;
const tokenBytes = 18 * 2 * 256 * 2;

/** And as it is: 15 of the layers see the last 512 tokens. */
const windowed: ModelInfo = {
  ...model,
  kvCell: { keys: 3 * 256, values: 3 * 256 },
  window: { kind: 'sliding', size: 512, kvCell: { keys: 15 * 256, values: 15 * 256 } },
};

function sizesOf(config: Partial<EngineConfig> = {}, machine: Partial<Machine> = {}, info = model) {
  const defaults = {
    threads: 0,
    gpuLayers: -1,
    contextLength: 0,
    kvTypeK: 'f16',
    kvTypeV: 'f16',
    pageSize: 32,
    kvBytes: 0,
    kvWindowShare: 0.5,
    memoryUtilization: 0.9,
    maxSequences: 64,
    guestSequences: 4,
    maxBatchTokens: 0,
  } as EngineConfig;
  const roomy = { cores: 8, memoryAvailableBytes: 64 * GiB, gpuFreeBytes: null };
  return resolveSizes({ ...defaults, ...config }, info, { ...roomy, ...machine });
}

test('CPU: 2,048 tokens for each sequence, where a quarter of the memory holds them', () => {
  const sizes = sizesOf();
  assert.equal(sizes.pages * 32, 64 * 2_048);
  assert.equal(sizes.maxContext, 32_768);
  assert.equal(sizes.maxPagesPerSequence, 1_024);
  assert.deepEqual([sizes.threads, sizes.maxBatchTokens], [8, 512]);
});

test('CPU: otherwise what a quarter of the memory holds, and the context shrinks to it', () => {
  const sizes = sizesOf({}, { memoryAvailableBytes: GiB });
  const tokens = Math.floor(GiB / 4 / (32 * tokenBytes)) * 32;
  assert.equal(sizes.pages * 32, tokens);
  assert.equal(sizes.maxContext, tokens);
});

test('one sequence can always have the whole context', () => {
  const sizes = sizesOf({ maxSequences: 4 });
  assert.equal(sizes.pages * 32, 32_768);
});

test('kvBytes decides where it is set, but no more than all sequences could use', () => {
  assert.equal(sizesOf({ kvBytes: 320 * tokenBytes }).pages, 10);
  assert.equal(sizesOf({ kvBytes: 100 * GiB, maxSequences: 2, contextLength: 100 }).pages, 2 * 4);
});

test('GPU: the share of free memory less the model and a reserve', () => {
  const sizes = sizesOf({}, { gpuFreeBytes: 20 * GiB });
  assert.equal(sizes.pages, Math.floor((18 * GiB - 0.25 * GiB - 0.5 * GiB) / (32 * tokenBytes)));
  assert.equal(sizes.maxBatchTokens, 2_048);
});

test('a smaller KV type holds more', () => {
  const half = sizesOf({ kvBytes: GiB, kvTypeK: 'q8_0', kvTypeV: 'q8_0' }).pages;
  assert.equal(half, Math.floor(GiB / (32 * tokenBytes * (34 / 64))));
});

test('layers with a window get their share of pages, and at least those for what can be in reach', () => {
  const { pages, window } = sizesOf({ kvWindowShare: 0.1 }, {}, windowed);
  assert.equal(pages * 32, 64 * 2_048);
  // 68 sequences, each with 512 tokens behind it from anywhere in a page on, and twice the step's 512.
  const reserved = 68 * (16 + 2) + 2 * 16 + 1;
  assert.deepEqual(window, { kind: 'sliding', size: 512, pages: reserved, reserved });
  assert.equal(sizesOf({}, {}, windowed).window!.pages, pages / 2);
  assert.equal(sizesOf({ kvWindowShare: 1 }, {}, windowed).window, null);
});

test('pages and window pages together take what there is', () => {
  for (const kvBytes of [GiB / 64, GiB / 8, GiB / 2, GiB, 4 * GiB]) {
    const { pages, window } = sizesOf({ kvBytes, maxSequences: 60 }, {}, windowed);
    const pageBytes = (32 * tokenBytes * 3) / 18;
    const windowBytes = (32 * tokenBytes * 15) / 18;
    const taken = pages * pageBytes + (window?.pages ?? pages) * windowBytes;
    assert.ok(
      taken <= kvBytes + windowBytes && taken > kvBytes - 2 * (pageBytes + windowBytes),
      `${kvBytes}`,
    );
  }
});

test('pages are whole where the reserve would be no fewer', () => {
  const { pages, window } = sizesOf({ kvBytes: 320 * tokenBytes }, {}, windowed);
  assert.deepEqual([pages, window], [10, null]);
});

test('a model with a recurrent state has no window pages', () => {
  assert.equal(sizesOf({}, {}, { ...windowed, hybrid: true }).window, null);
});

test('a batch has room for every sequence, guests too, and outputs for more', () => {
  const sizes = sizesOf({ maxBatchTokens: 16, maxSequences: 64, guestSequences: 4 });
  assert.deepEqual([sizes.maxSequences, sizes.guestSequences, sizes.maxBatchTokens], [68, 4, 68]);
  assert.ok(sizes.maxOutputs > 68);
});

test('guests beyond what a context can have there are not', () => {
  const sizes = sizesOf({ maxSequences: 1_022, guestSequences: 4 });
  assert.deepEqual([sizes.maxSequences, sizes.guestSequences], [1_024, 2]);
});
