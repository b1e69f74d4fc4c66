/** Pages that were evicted and come back hold what they held: not a bit of an answer differs. */
import assert from 'node:assert/strict';
import { mkdtemp, readdir, rm, truncate } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import type { Engine } from '../../src/engine/engine.js';
import { createEngine } from '../../src/engine/host.js';
import type { EngineConfig, GenerateRequest, TokenLogprob } from '../../src/engine/types.js';
import { request } from '../sim/core.js';
import { engineConfig } from '../support/engine-config.js';
import { realModel } from '../support/gguf/real-model.js';

const pageSize = 32;

async function open(
  t: TestContext,
  overrides: Partial<EngineConfig>,
): Promise<Engine & { faults: string[] }> {
  const config = engineConfig({
    modelPath: await realModel(),
    contextLength: 512,
    weights: 'packed',
    pageSize,
    ...overrides,
  });
  const faults: string[] = [];
  const engine = await createEngine(config, () => {}, { onFault: (message) => faults.push(message) });
  t.after(() => engine.close());
  return Object.assign(engine, { faults });
}

interface Answer {
  tokens: TokenLogprob[];
  cachedTokens: number;
}

function run(engine: Engine, wanted: GenerateRequest): Promise<Answer> {
  const answer: Answer = { tokens: [], cachedTokens: 0 };
  return new Promise((resolve, reject) => {
    engine.generate(wanted, (event) => {
      if (event.type === 'prompt') answer.cachedTokens = event.cachedTokens;
      else if (event.type === 'delta') answer.tokens.push(...(event.logprobs ?? []));
      else if (event.type === 'done') resolve(answer);
      else reject(new Error(event.message));
    });
  });
}

/** 200 tokens of a family of their own, and the greedy answer's log-probabilities. */
function wanted(family: number): GenerateRequest {
  const prompt = Int32Array.from({ length: 200 }, (_, i) => 1_000 + ((i * 37 + family * 4_001) % 30_000));
  const sampling = { ...request().sampling, topLogprobs: 2 };
  return request({ prompt, maxTokens: 6, sampling });
}

test('evicted pages come back from memory, and from disk after a restart', async (t) => {
  const directory = await mkdtemp(join(tmpdir(), 'sluice-kv-'));
  t.after(() => rm(directory, { recursive: true }));
  const plain = await open(t, {});
  const { bytesPerPage } = plain.context;
  const stored = { kvBytes: 8 * bytesPerPage, kvHostBytes: 30 * bytesPerPage, kvDiskPath: directory };
  const expected = [await run(plain, wanted(0)), await run(plain, wanted(1))];

  const engine = await open(t, stored);
  assert.deepEqual(await run(engine, wanted(0)), expected[0]);
  assert.deepEqual(await run(engine, wanted(1)), expected[1]); // takes the pool
  const again = await run(engine, wanted(0));
  assert.equal(again.cachedTokens, 192);
  assert.deepEqual(again.tokens, expected[0]!.tokens);
  await engine.close();

  const restarted = await open(t, stored);
  for (const family of [0, 1]) {
    const warm = await run(restarted, wanted(family));
    assert.equal(warm.cachedTokens, 192);
    assert.deepEqual(warm.tokens, expected[family]!.tokens);
  }
  await restarted.close();

  const [folder] = await readdir(directory);
  const files = await readdir(join(directory, folder!));
  for (const file of files) await truncate(join(directory, folder!, file), 1_000);
  const damaged = await open(t, stored);
  assert.deepEqual(await run(damaged, wanted(0)), expected[0], 'computed, as if nothing had been there');
  assert.match(damaged.faults.join('\n'), /damaged/);
});
