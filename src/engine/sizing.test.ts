import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ModelInfo } from '../native/types.js';
import { type Machine, resolveSizes } from './sizing.js';
import type { EngineConfig } from './types.js';

const GiB = 2 ** 30;

/** Gemma 3 270M's shape: 18 layers, one KV head of 256. At f16 a token takes 18 × 2 × 256 × 2 bytes = 18 kB. */
const model = {
  architecture: 'gemma3',
  sizeBytes: 0.25 * GiB,
  trainContext: 32_768,
  embeddingSize: 640,
  layers: 18,
  heads: 4,
  kvHeads: 1,
  metadata: { 'gemma3.attention.key_length': '256', 'gemma3.attention.value_length': '256' },
} as unknown as ModelInfo;
const tokenBytes = 18 * 2 * 256 * 2;

function sizesOf(config: Partial<EngineConfig> = {}, machine: Partial<Machine> = {}, info = model) {
  const defaults = {
    threads: 0,
    gpuLayers: -1,
    contextLength: 0,
    kvTypeK: 'f16',
    kvTypeV: 'f16',
    pageSize: 32,
    kvBytes: 0,
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

test('heads are embedding / heads wide where the metadata does not say', () => {
  const sizes = sizesOf({ kvBytes: GiB }, {}, { ...model, metadata: {} });
  assert.equal(sizes.pages, Math.floor(GiB / (32 * 18 * 2 * 160 * 2)));
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
