import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { started } from '../../test/support/cache-entries.js';
import { ChatFormat } from '../api/chat-format.js';
import { CompletionFormat } from '../api/completion-format.js';
import type { AnswerFormat } from '../api/format.js';
import type { GenerationEvent, MessageDelta } from '../generation/types.js';
import { Recording } from './recording.js';

const usage = { promptTokens: 1, completionTokens: 1, cachedTokens: 0, nanodollars: null };
const piece = (text: string) => ({ token: -1, piece: Buffer.from(text), logprob: -0.5 });

/** What a client is given, whole. */
function wholeOf(events: Iterable<GenerationEvent>, format: AnswerFormat): object {
  for (const event of events) format.collect(event);
  return format.whole(usage);
}

function recorded(events: readonly GenerationEvent[], maxBytes = 2 ** 30): Recording {
  const recording = new Recording({ maxBytes, keepsPrompts: true });
  for (const event of events) recording.add(event);
  return recording;
}

const prompt: GenerationEvent = {
  type: 'prompt',
  prompt: 0,
  tokens: Int32Array.of(1),
  cachedTokens: 0,
  logprobs: null,
};
const choice = fc.nat(2);
const ends = [0, 1, 2].map(
  (index): GenerationEvent => ({ type: 'done', choice: index, finishReason: 'stop', stopSequence: null }),
);

const completionEvents = fc
  .array(fc.record({ choice, text: fc.string({ maxLength: 5, unit: 'grapheme' }) }), { maxLength: 200 })
  .map((deltas) => [
    started,
    prompt,
    ...deltas.map((delta): GenerationEvent => {
      return {
        type: 'delta',
        message: null,
        tokens: [-1],
        logprobs: [{ ...piece(delta.text), top: [piece('x')] }],
        ...delta,
      };
    }),
    ...ends,
  ]);

const call = fc
  .record({ index: fc.nat(1), arguments: fc.string({ maxLength: 5 }) })
  .map(({ index, ...rest }) => ({
    tool_calls: [{ index, id: `c${index}`, type: 'function' as const, function: rest }],
  }));
const messageDelta: fc.Arbitrary<MessageDelta> = fc.oneof(
  fc.record({ content: fc.string({ maxLength: 5 }) }),
  fc.record({ reasoning_content: fc.string({ maxLength: 5 }) }),
  call,
);
const chatEvents = fc
  .array(fc.record({ choice, message: messageDelta }), { maxLength: 200 })
  .map((deltas) => [
    started,
    prompt,
    ...deltas.map(
      (delta): GenerationEvent => ({ type: 'delta', text: '', tokens: [7], logprobs: null, ...delta }),
    ),
    ...ends,
  ]);

test('a recorded answer says exactly what was computed, in fewer pieces', () => {
  const options = { id: 'a', createdSeconds: 0, includeUsage: false };
  fc.assert(
    fc.property(completionEvents, (events) => {
      const { events: kept } = recorded(events);
      const format = () => new CompletionFormat({ ...options, choices: 3, echo: null });
      assert.deepEqual(wholeOf(kept, format()), wholeOf(events, format()));
      assert.ok(kept.length <= 2 + 3 + 3 + Math.ceil(events.length / 32));
    }),
  );
  fc.assert(
    fc.property(chatEvents, (events) => {
      const { events: kept } = recorded(events);
      assert.deepEqual(wholeOf(kept, new ChatFormat(options)), wholeOf(events, new ChatFormat(options)));
    }),
  );
});

test('what is recorded is its own: events that came are not changed', () => {
  fc.assert(
    fc.property(chatEvents, (events) => {
      const before = JSON.stringify(events);
      recorded(events);
      assert.equal(JSON.stringify(events), before);
    }),
    { numRuns: 20 },
  );
});

test('an answer that grows too large is given up, and holds nothing', () => {
  const delta: GenerationEvent = {
    type: 'delta',
    choice: 0,
    text: 'x'.repeat(100),
    message: null,
    tokens: [1],
    logprobs: null,
  };
  const recording = recorded([started, ...Array<GenerationEvent>(20).fill(delta)], 2_000);
  assert.equal(recording.isWhole, false);
  assert.deepEqual(recording.events, []);
  assert.ok(recorded([started, delta], 2_000).isWhole);
});

test("what is the request's own is left out: places in the queue, quota, route", () => {
  const { events } = recorded([
    { type: 'queued', position: 1, estimateMs: 5 },
    { ...started, route: { name: 'r', variant: 'v' }, quota: { 'x-ratelimit-limit-requests': '5' } },
  ]);
  assert.deepEqual(events, [started]);
});
