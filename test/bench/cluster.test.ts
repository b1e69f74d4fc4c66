import assert from 'node:assert/strict';
import test from 'node:test';
import { SteppingEngine } from '../../bench/cluster/stepping-engine.js';
import { summarise } from '../../bench/measure.js';
import {
  ANSWER_TOKENS,
  clusterFigures,
  oneClient,
  scaling,
  thirtyTwoClients,
  whole,
} from '../../bench/scenarios/cluster-figures.js';
import type { Run } from '../../bench/scenarios/outcome.js';
import { promptOnly } from '../../src/engine/prompt-only.js';

function run(server: string, workload: string, { ttftMs = 1, tokens = 1, requests = 1, cpuCores = 1 }): Run {
  const traces = Array.from({ length: requests }, () => ({
    startedAtMs: 0,
    endedAtMs: ttftMs,
    tokenAtMs: [ttftMs],
    outputTokens: tokens,
    promptTokens: null,
    cachedTokens: null,
    endings: 1,
    outcome: 'finished' as const,
    error: null,
  }));
  const summary = summarise({ traces, wallMs: 1000, skippedArrivals: 0 }, { ttftMs: 1, tpotMs: 1 });
  const usage = { peakRssMiB: 1, cpuCores, otherCpuCores: 0 };
  const what = { server, serverVersion: null, commandLine: null, workload, round: 1 };
  return { ...what, purpose: 'measure', summary, usage };
}

test('what the queue adds, carries by gateway core, and gains by more workers', () => {
  const runs = [
    run('embedded', oneClient, { ttftMs: 20 }),
    run('queue', oneClient, { ttftMs: 22 }),
    run('embedded', thirtyTwoClients, { tokens: 100 }),
    run('queue', thirtyTwoClients, { tokens: 97 }),
    run('queue', whole, { requests: 300, cpuCores: 0.5 }),
    run('bullmq', whole, { requests: 200, cpuCores: 1 }),
    run('queue', scaling(1), { requests: 10 }),
    run('queue', scaling(2), { requests: 19 }),
  ];
  const figures = new Map(clusterFigures(runs, [1, 2]).map(({ name, value }) => [name, value]));
  assert.equal(figures.get('the queue adds to TTFT, p50'), 2);
  assert.equal(figures.get('throughput over the queue'), 0.97);
  assert.equal(figures.get('queue: tokens per gateway core'), 600 * ANSWER_TOKENS);
  assert.equal(figures.get('a gateway core carries, times BullMQ'), 3);
  assert.equal(figures.get('2 workers carry, times one'), 1.9);
});

test('the sleeping engine gives each request a token a step, and ends it', async () => {
  const engine = new SteppingEngine(1);
  const texts = await Promise.all(
    [3, 5].map((maxTokens) => {
      let text = '';
      return new Promise<string>((resolve) => {
        const request = { ...promptOnly(`of ${maxTokens}`, 'test', Int32Array.of(1)), maxTokens };
        engine.generate(request, (event) => {
          if (event.type === 'delta') text += event.text;
          if (event.type === 'done') resolve(`${text} ${event.completionTokens}`);
        });
      });
    }),
  );
  assert.deepEqual(texts, ['bcd 3', 'bcdef 5']);
  await engine.close();
});
