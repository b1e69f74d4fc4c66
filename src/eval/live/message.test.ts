import assert from 'node:assert/strict';
import { test } from 'node:test';
import { messageOf } from './message.js';

test('a finding in words: points of score, and ratios as percent', () => {
  const comparison = { variant: 'new', against: 'old', verdict: 'worse' } as const;
  const variant = (measure: 'quality' | 'latency', low: number, high: number) =>
    messageOf({
      kind: 'variant',
      route: 'chat',
      action: '',
      isFirst: true,
      comparison: { ...comparison, measure, interval: { low, high } },
    });
  assert.equal(
    variant('quality', -0.61, -0.2),
    'new is worse than old on the route chat: quality −0.610 to −0.200 points of score.',
  );
  assert.equal(
    variant('latency', Math.log(1.5), Math.log(3)),
    'new is worse than old on the route chat: latency +50 to +200 %.',
  );
  assert.equal(
    messageOf({ kind: 'drift', model: 'm', measure: 'score', drift: 'down', reference: 0.9, current: 0.5 }),
    'score of m went down from 0.90 to 0.50.',
  );
});
