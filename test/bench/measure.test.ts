import assert from 'node:assert/strict';
import test from 'node:test';
import type { RequestTrace } from '../../bench/client/types.js';
import { gapsMs, summarise, timeToFirstTokenMs } from '../../bench/measure.js';
import { traceOf } from '../support/bench-runs.js';

function trace(differences: Partial<RequestTrace>): RequestTrace {
  return traceOf({
    startedAtMs: 1000,
    endedAtMs: 1500,
    tokenAtMs: [1100, 1200, 1400],
    outputTokens: 3,
    promptTokens: 10,
    cachedTokens: 4,
    ...differences,
  });
}

const level = { ttftMs: 150, tpotMs: 200 };

test('times of one request', () => {
  assert.equal(timeToFirstTokenMs(trace({})), 100);
  assert.deepEqual(gapsMs(trace({})), [100, 200]);
  assert.equal(timeToFirstTokenMs(trace({ tokenAtMs: [] })), null);
});

test('a run is summed up', () => {
  const traces = [
    trace({}),
    trace({ tokenAtMs: [1400, 1500], outputTokens: 5 }),
    trace({ outcome: 'cancelled', outputTokens: 2 }),
    trace({ outcome: 'failed', error: 'http_429', outputTokens: 0, tokenAtMs: [], promptTokens: null }),
  ];
  const summary = summarise({ traces, wallMs: 2000, skippedArrivals: 1 }, level);
  assert.deepEqual(summary.requests, { finished: 2, cancelled: 1, failed: 1, skippedArrivals: 1 });
  assert.deepEqual(summary.errors, { http_429: 1 });
  assert.equal(summary.outputTokensPerSecond, 5);
  assert.equal(summary.promptTokensPerSecond, 15);
  assert.equal(summary.requestsPerSecond, 1);
  assert.equal(summary.cachedPromptShare, 0.4);
  assert.equal(summary.ttftMs?.max, 400);
  assert.equal(summary.itlMs?.count, 3);
  assert.deepEqual([summary.tpotMs?.max, summary.tpotMs?.count], [150, 2]); // (1400 − 1100) / 2; 100 / 4
  assert.equal(summary.goodput.share, 0.25); // the second one's first token came too late
});

test('nothing measured is no spread, not zeros', () => {
  const summary = summarise({ traces: [], wallMs: 10, skippedArrivals: 0 }, level);
  assert.equal(summary.ttftMs, null);
  assert.equal(summary.cachedPromptShare, null);
  assert.equal(summary.goodput.share, 0);
});
