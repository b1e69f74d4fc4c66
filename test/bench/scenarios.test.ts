import assert from 'node:assert/strict';
import test from 'node:test';
import type { RequestTrace } from '../../bench/client/types.js';
import { stallTimes } from '../../bench/scenarios/stall.js';
import { stepTimes } from '../../bench/scenarios/step-times.js';
import { stepFigures } from '../../bench/scenarios/steps.js';
import { metricTotal, parseMetrics } from '../../bench/servers/metrics.js';
import { traceOf } from '../support/bench-runs.js';

const exposition = (factor: number) => `# HELP sluice_steps_total Engine steps
# TYPE sluice_steps_total counter
sluice_steps_total{model="m"} ${10 * factor}
sluice_graphs_reused_total{model="m"} ${9 * factor}
sluice_step_seconds_total{model="m",phase="schedule"} ${0.1 * factor}
sluice_step_seconds_total{model="m",phase="forward"} ${1.6 * factor}
sluice_step_seconds_total{model="m",phase="sample"} ${0.2 * factor}
sluice_step_seconds_total{model="m",phase="emit"} ${0.1 * factor}
sluice_engine_tokens_total{model="m",kind="generated"} ${320 * factor}
sluice_kv_pages{model="a \\"b\\"",state="free"} 7
up 1
`;

test('metrics are read with their labels, and missing ones are an error', () => {
  const samples = parseMetrics(exposition(1));
  assert.equal(metricTotal(samples, 'up'), 1);
  assert.ok(Math.abs(metricTotal(samples, 'sluice_step_seconds_total') - 2) < 1e-9);
  assert.equal(metricTotal(samples, 'sluice_kv_pages', { state: 'free' }), 7);
  assert.throws(() => metricTotal(samples, 'sluice_kv_pages', { state: 'live' }), /no metric/);
});

test('step figures are of the time between two readings', () => {
  const figures = stepFigures(32, stepTimes(parseMetrics(exposition(1)), parseMetrics(exposition(3))));
  const value = (name: string) => figures.find((figure) => figure.name === `@32: ${name}`)!.value;
  assert.equal(value('steps'), 20);
  assert.equal(value('tokens generated a step'), 32);
  assert.ok(Math.abs(value('forward a step') - 160) < 1e-9);
  assert.ok(Math.abs(value('outside forward') - 20) < 1e-9);
  assert.ok(Math.abs(value('graphs reused') - 90) < 1e-9);
  assert.ok(Math.abs(value('sampling a row') - 625) < 1e-9);
});

function trace(startedAtMs: number, tokenAtMs: number[], outcome: RequestTrace['outcome']): RequestTrace {
  const endedAtMs = tokenAtMs.at(-1)!;
  return traceOf({ startedAtMs, endedAtMs, tokenAtMs, outputTokens: tokenAtMs.length, outcome });
}

test('a stall is the gaps between the arrival of the prompt and its first token', () => {
  const streams = [
    trace(0, [100, 130, 160, 190, 690, 720], 'cancelled'), // waits 500 ms for the prompt
    trace(0, [110, 140, 170, 200], 'cancelled'), // and this one is still waiting
  ];
  const times = stallTimes(streams, trace(205, [605], 'finished'), trace(0, [300], 'finished'));
  assert.equal(times.medianBeforeMs, 30);
  assert.equal(times.maxDuringMs, 500);
  assert.ok(times.p99DuringMs > 490);
  assert.deepEqual([times.ttftMs, times.ttftAloneMs], [400, 300]);
});

test('streams that ran out before the prompt was answered measure nothing', () => {
  const streams = [trace(0, [100, 130], 'finished')];
  assert.throws(
    () => stallTimes(streams, trace(205, [605], 'finished'), trace(0, [300], 'finished')),
    /ended before/,
  );
});
