import assert from 'node:assert/strict';
import { test } from 'node:test';
import { seededRandom } from '../../../bench/workload/random.js';
import { plainText } from '../normalise/plain.js';
import { viewsOf } from '../normalise/views.js';
import { judgeInjection } from './injection/classifier.js';
import { injectionPatterns } from './injection/patterns.js';
import { moderationClassifier } from './moderation/classifier.js';
import { piiRecognisers, secretRecognisers } from './pii/index.js';

const isLong = process.env.SLUICE_LONG === '1';
const ROUNDS = isLong ? 100_000 : 150;
const MAX_LENGTH = isLong ? 65_536 : 16_384;
/** Quadratic work at these lengths takes seconds; a slow machine takes some milliseconds. */
const GENEROUS_MS = 1_000;
const pieces = [
  '1',
  '0',
  ' ',
  '-',
  '.',
  '@',
  'a',
  'A',
  ':',
  '/',
  '+',
  '(',
  '%41',
  '\\x41',
  'password ',
  'sk-',
  'eyJ',
  '-----BEGIN ',
  'IBAN DE89 ',
  'born ',
  '4111 ',
  '"',
  '`',
  '```',
  'ignore all ',
  'you are ',
  '\u200b',
  'é',
  '😀',
  '<|',
  '[INST]',
  'YWJj',
  '12 Main ',
  'AB12',
  '\n',
  '=',
  '_',
  '0x',
  '10101010 ',
  '忽略',
];

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

/** Few pieces over and over are what makes patterns go back and forth. */
function* hostileTexts(): Generator<string> {
  const random = seededRandom(11);
  for (let round = 0; round < ROUNDS; round += 1) {
    const own = Array.from(
      { length: 1 + Math.floor(random() * 4) },
      () => pieces[Math.floor(random() * pieces.length)]!,
    );
    let text = '';
    const isRandom = random() < 0.5;
    for (let at = 0; text.length < MAX_LENGTH; at += 1)
      text += isRandom ? own[Math.floor(random() * own.length)]! : own[at % own.length]!;
    yield text;
  }
}

test('hostile texts cost no more than long ones', () => {
  let worst = { name: '', ms: 0, text: '' };
  for (const text of hostileTexts()) {
    for (const [name, check] of Object.entries(checks)) {
      const start = performance.now();
      check(text);
      const ms = performance.now() - start;
      if (ms > worst.ms) worst = { name, ms, text: text.slice(0, 60) };
    }
  }
  if (process.env.SLUICE_SHOW_TIMES === '1') console.log(worst);
  assert.ok(
    worst.ms < GENEROUS_MS,
    `${worst.name}: ${worst.ms.toFixed(0)} ms for ${JSON.stringify(worst.text)}…`,
  );
});
