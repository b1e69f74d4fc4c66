import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { GuardMode, GuardUse } from '../../config/index.js';
import type { GenerationEvent } from '../../generation/types.js';
import { guardKinds } from '../catalog.js';
import type { Detector } from '../detector.js';
import type { Inspector } from '../inspector.js';
import { createDetector } from '../pool/create-detector.js';
import { runCheck } from '../pool/run-check.js';
import type { Profile, ProfileGuard } from '../profile.js';
import { guardedAnswer } from './stage.js';

/** What a stream shows is what the whole text would show, however it is split; with the real recognisers, on this thread. */

const kinds = guardKinds([]);
const guardOf = (guard: string, mode: GuardMode, options = {}, holdsSentences = false): ProfileGuard => {
  const use: GuardUse = { guard, mode, modes: {}, onFailure: 'block', holdsSentences, options };
  return { use, kind: kinds.get(guard)!, timeoutMs: 1000 };
};

const words = { words: { fish: ['swordfish', 'sword', 'fish sticks', 'İstanbul'] } };
const patterns = { patterns: { code: '[a-z]+-\\d+', long: 'a b+' }, maxSpan: 24 };
const redacting = [
  guardOf('pii', 'redact'),
  guardOf('secrets', 'mask'),
  guardOf('keywords', 'redact', words),
  guardOf('patterns', 'redact', patterns),
];

const detectors = new Map<ProfileGuard, Promise<Detector>>();
function detectorOf(guard: ProfileGuard): Promise<Detector> {
  const known = detectors.get(guard) ?? createDetector(guard);
  detectors.set(guard, known);
  return known;
}

/** The workers' code without the workers. */
const inspector: Pick<Inspector, 'scan'> = {
  scan: (guards, texts, context, isFinal) =>
    runCheck(
      { detectors: [...guards.keys()], texts, context, isFinal },
      async (index) => ({ use: guards[index]!.use, detector: await detectorOf(guards[index]!) }),
      () => undefined,
    ),
};

interface Shown {
  text: string;
  finishReason: string | null;
  /** The text before each piece was pushed. */
  after: string[];
}

async function shownOf(
  guards: readonly ProfileGuard[],
  pieces: readonly string[],
  streams: boolean,
): Promise<Shown> {
  const shown: Shown = { text: '', finishReason: null, after: [] };
  const profile: Profile = {
    name: 'test',
    guards: { input: [], output: guards },
    onBlock: 'error',
    refusal: '',
    repairs: null,
  };
  const sink = (event: GenerationEvent) => {
    if (event.type === 'delta') shown.text += event.text;
    if (event.type === 'done') shown.finishReason = event.finishReason;
  };
  const stage = guardedAnswer(
    {
      inspector: inspector as Inspector,
      ask: () => Promise.reject(new Error('there is no model')),
      profile,
      context: { requestId: 'r', tenant: 't', stage: 'output' },
      streams,
      hidesLogprobs: false,
      sink,
      onHits: () => undefined,
    },
    1,
  );
  for (const text of pieces) {
    stage.sink({ type: 'delta', choice: 0, text, message: null, tokens: [1], logprobs: null });
    await stage.settled();
    shown.after.push(shown.text);
  }
  stage.sink({ type: 'done', choice: 0, finishReason: 'stop', stopSequence: null });
  await stage.settled();
  return shown;
}

const values = [
  'bob.smith@example.co.uk',
  '4111 1111 1111 1111',
  '378282246310005',
  'DE89 3704 0044 0532 0130 00',
  '(212) 555-0100',
  '+49 30 1234567',
  '219-09-9998',
  '192.168.7.20',
  '2001:db8::8a2e:370:7334',
  'born on 12 March 1980',
  '221B Baker Street, London NW1 6XE',
  'sk-proj-abcdefghijk1234567890ABCDEFG',
  'eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9P',
  'password = hunter2!x',
  'postgres://app:s3cr3tPw@db.internal/x',
  '-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBg\n-----END PRIVATE KEY-----',
  'swordfish',
  'fish sticks',
  'order-66',
  'a bbbbbb',
];
const glue = [
  ' ',
  '. ',
  ', ',
  '\n',
  '',
  '-',
  '.',
  ' and ',
  ' card ',
  '12',
  'x',
  '@',
  ':',
  ' 7 ',
  '/',
  'é',
  '😀',
];
const pieces = fc
  .array(
    fc.oneof(
      { weight: 3, arbitrary: fc.constantFrom(...values) },
      { weight: 4, arbitrary: fc.constantFrom(...glue) },
      { weight: 1, arbitrary: fc.string({ unit: 'grapheme', maxLength: 6 }) },
    ),
    { minLength: 1, maxLength: 12 },
  )
  .map((parts) => parts.join(''))
  .chain((text) =>
    fc.tuple(fc.constant(text), fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 40 })),
  )
  .map(([text, lengths]) => splitBy(text, lengths));

function splitBy(text: string, lengths: readonly number[]): string[] {
  const characters = Array.from(text);
  const parts: string[] = [];
  for (let at = 0, turn = 0; at < characters.length; turn += 1) {
    const length = lengths[turn % lengths.length]!;
    parts.push(characters.slice(at, at + length).join(''));
    at += length;
  }
  return parts;
}

const numRuns = process.env.SLUICE_LONG === '1' ? 20_000 : 150;

test('a streamed answer is the whole one, and shows nothing on the way that the whole one cuts', async () => {
  await fc.assert(
    fc.asyncProperty(pieces, async (parts) => {
      const whole = await shownOf(redacting, [parts.join('')], false);
      const streamed = await shownOf(redacting, parts, true);
      assert.equal(streamed.text, whole.text);
      for (const before of streamed.after) assert.ok(whole.text.startsWith(before));
    }),
    { numRuns },
  );
});

test('a stream that is blocked has shown what comes before the first finding, and no more', async () => {
  const blocking = redacting.map(({ use, kind, timeoutMs }) => {
    return { use: { ...use, mode: 'block' as const }, kind, timeoutMs };
  });
  await fc.assert(
    fc.asyncProperty(pieces, async (parts) => {
      const whole = await shownOf(blocking, [parts.join('')], false);
      const streamed = await shownOf(blocking, parts, true);
      assert.equal(streamed.finishReason, whole.finishReason);
      if (whole.finishReason === 'stop') assert.equal(streamed.text, whole.text);
      else assert.ok(parts.join('').startsWith(streamed.text));
    }),
    { numRuns },
  );
});

const threat = 'I will kill you and your family tonight.';
const reading = guardOf('moderation', 'block', {}, true);

test('a guard that holds sentences lets none out that it blocks, and those before', async () => {
  const parts = splitBy(`The weather is nice. It is warm today.\n${threat} Bye now.`, [3, 5]);
  const held = await shownOf([reading], parts, true);
  assert.equal(held.finishReason, 'content_filter');
  assert.equal(held.text, 'The weather is nice. It is warm today.\n');
  assert.ok(held.after.includes('The weather is nice. '), 'a sentence leaves when it was read');
  const harmless = await shownOf([reading], ['The weather is nice. ', 'The weather is ni', 'ce. '], true);
  assert.deepEqual(
    [harmless.text, harmless.finishReason],
    ['The weather is nice. The weather is nice. ', 'stop'],
  );
});

test('held sentences and recognised spans: what is shown is what the whole text shows', async () => {
  const guards = [...redacting, reading];
  await fc.assert(
    fc.asyncProperty(pieces, async (parts) => {
      const streamed = await shownOf(guards, parts, true);
      const whole = await shownOf(redacting, [parts.join('')], false);
      assert.ok(whole.text.startsWith(streamed.text));
      if (streamed.finishReason === 'stop') assert.equal(streamed.text, whole.text);
      for (const before of streamed.after) assert.ok(whole.text.startsWith(before));
    }),
    { numRuns },
  );
});
