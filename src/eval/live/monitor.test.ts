import assert from 'node:assert/strict';
import { test } from 'node:test';
import { exchange } from '../../../test/eval/exchange.js';
import { configSchema } from '../../config/index.js';
import { Monitor, type Split } from './monitor.js';
import type { LiveSample } from './sample.js';

const features = { length: 0.5, refusal: false, language: 'eng', topic: 'other' };
const config = configSchema.parse({}).evaluation;

function sample(variant: string, score: number | null, more: Partial<LiveSample> = {}): LiveSample {
  return { ...exchange({ route: 'chat', variant }), reasons: ['share'], scores: [], score, ...more };
}

function split(): Split {
  return { variants: ['old', 'new'], deployed: {} };
}

/** Verdicts on quality, as they are found. */
function verdicts(monitor: Monitor, deployed: Split, newScore: number, pairs = 100): boolean[] {
  const first: boolean[] = [];
  for (let pair = 0; pair < pairs; pair += 1)
    for (const [variant, score] of [
      ['old', 1],
      ['new', newScore],
    ] as const)
      for (const finding of monitor.add(sample(variant, score), features, deployed))
        if (finding.kind === 'variant' && finding.comparison.measure === 'quality') {
          assert.equal(finding.comparison.verdict, 'worse');
          first.push(finding.isFirst);
        }
  return first;
}

test('a verdict is new once, and the comparison begins anew with what is deployed', () => {
  const monitor = new Monitor(config);
  const first = split();
  const found = verdicts(monitor, first, 0);
  assert.ok(found.length > 1);
  assert.deepEqual(
    found.map((isFirst, index) => isFirst === (index === 0)),
    found.map(() => true),
  );

  const repaired = split();
  assert.deepEqual(verdicts(monitor, repaired, 1), [], 'what the last one did is forgotten');
  assert.deepEqual(monitor.status().routes[0]!.samples, { old: 100, new: 100 });
  assert.equal(verdicts(monitor, split(), 0)[0], true, 'worse again, told again');
});

test('samples that a rule has chosen, and scores that could not be told, count for no quality', () => {
  const monitor = new Monitor(config);
  const deployed = split();
  for (let count = 0; count < 100; count += 1) {
    monitor.add(sample('old', 1), features, deployed);
    monitor.add(sample('new', 0, { reasons: ['guard_warning'] }), features, deployed);
    monitor.add(sample('new', null), features, deployed);
  }
  const { routes, models } = monitor.status();
  assert.deepEqual(routes[0]!.samples, { old: 100, new: 100 });
  assert.ok(routes[0]!.comparisons.every(({ verdict }) => verdict === 'undecided'));
  assert.equal(models[0]!.mean, 1);
});
