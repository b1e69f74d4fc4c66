import assert from 'node:assert/strict';
import { test } from 'node:test';
import { seededRandom } from '../../../../bench/workload/random.js';
import { patternRecogniser } from './pattern.js';

test('a pattern that is tried near its core only finds what it finds anywhere', () => {
  const options = {
    name: 'order',
    categories: ['order'],
    pattern: /(?<!\w)[a-c]{1,4}-?\d{2,3}/g,
    maxSpan: 8,
    openFrom: (text: string) => text.length,
    accept: (match: string) => (match.endsWith('1') ? null : { score: 1, isValidated: false }),
  };
  const anywhere = patternRecogniser(options);
  const near = patternRecogniser({ ...options, core: /\d\d/, coreReach: 5 });
  const random = seededRandom(3);
  let found = 0;
  for (let round = 0; round < 200; round += 1) {
    const text = Array.from({ length: 80 }, () => 'abc-12 '[Math.floor(7 * random())]).join('');
    const findings = anywhere.find(text);
    found += findings.length;
    assert.deepEqual(near.find(text), findings);
  }
  assert.ok(found > 100, `${found}`);
});
