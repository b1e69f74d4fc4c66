import assert from 'node:assert/strict';
import { test } from 'node:test';
import { hostileText } from '../../../bench/guards/hostile-texts.js';
import { seededRandom } from '../../../bench/workload/random.js';
import { plainText } from '../normalise/plain.js';
import { viewsOf } from '../normalise/views.js';
import { judgeInjection } from './injection/classifier.js';
import { injectionPatterns } from './injection/patterns.js';
import { moderationClassifier } from './moderation/classifier.js';
import { piiRecognisers, secretRecognisers } from './pii/index.js';

const ROUNDS = 150;
const MAX_LENGTH = 16_384;
/** Quadratic work at these lengths takes seconds; a slow machine takes some milliseconds. */
const GENEROUS_MS = 1_000;
const checks: Record<string, (text: string) => unknown> = {
  plain: plainText,
  views: (text) => viewsOf(text),
  'injection classifier': judgeInjection,
  'injection patterns': (text) => injectionPatterns.find(text),
  moderation: (text) => moderationClassifier.score(text),
};
for (const recogniser of [...piiRecognisers(), ...secretRecognisers]) {
  checks[recogniser.name] = (text) => recogniser.find(text);
  checks[`${recogniser.name}, open`] = (text) => recogniser.openFrom(text);
}

test('hostile texts cost no more than long ones', () => {
  let worst = { name: '', ms: 0, text: '' };
  const random = seededRandom(11);
  for (let round = 0; round < ROUNDS; round += 1) {
    const text = hostileText(random, MAX_LENGTH);
    for (const [name, check] of Object.entries(checks)) {
      const start = cpuMilliseconds();
      check(text);
      const ms = cpuMilliseconds() - start;
      if (ms > worst.ms) worst = { name, ms, text: text.slice(0, 60) };
    }
  }
  if (process.env.SLUICE_SHOW_TIMES === '1') console.log(worst);
  assert.ok(
    worst.ms < GENEROUS_MS,
    `${worst.name}: ${worst.ms.toFixed(0)} ms for ${JSON.stringify(worst.text)}…`,
  );
});

/** Of the process: a busy machine makes a text wait, but not cost more. */
function cpuMilliseconds(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}
