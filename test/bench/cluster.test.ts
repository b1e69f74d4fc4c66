import assert from 'node:assert/strict';
import test from 'node:test';
import { SteppingEngine } from '../../bench/cluster/stepping-engine.js';
import {
  ANSWER_TOKENS,
  clusterFigures,
  oneClient,
  scaling,
  thirtyTwoClients,
  whole,
} from '../../bench/scenarios/cluster-figures.js';
import { promptOnly } from '../../src/engine/prompt-only.js';
import { runOf } from '../support/bench-runs.js';

test('what the queue adds, carries by gateway core, and gains by more workers', () => {
  const runs = [
    runOf('embedded', oneClient, { ttftMs: 20 }),
    runOf('queue', oneClient, { ttftMs: 22 }),
    runOf('embedded', thirtyTwoClients, { tokens: 100 }),
    runOf('queue', thirtyTwoClients, { tokens: 97 }),
    runOf('queue', whole, { requests: 300, cpuCores: 0.5 }),
    runOf('bullmq', whole, { requests: 200, cpuCores: 1 }),
    runOf('queue', scaling(1), { requests: 10 }),
    runOf('queue', scaling(2), { requests: 19 }),
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
