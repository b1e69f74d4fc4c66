import assert from 'node:assert/strict';
import { test } from 'node:test';
import { prompt, request, smallConfig, testCore } from '../../test/sim/core.js';
import { answerAlone } from '../../test/sim/oracle.js';
import type { EngineEvent, GenerateRequest, ResumedChoice } from './types.js';

const letters = (text: string) => text.replaceAll('\uFFFD', '?');

function eventsOf(wanted: GenerateRequest): EngineEvent[] {
  const { core, of, finish } = testCore();
  core.submit(wanted);
  finish();
  return of(wanted.id);
}

/** What a receiver has of each choice after the first `count` events. */
function progressAfter(events: readonly EngineEvent[], count: number, choices: number) {
  const progress = Array.from({ length: choices }, () => ({
    tokens: [] as number[],
    text: '',
    ended: false,
  }));
  for (const event of events.slice(0, count)) {
    if (event.type === 'delta') {
      progress[event.index]!.tokens.push(...event.tokens);
      progress[event.index]!.text += event.text;
    } else if (event.type === 'done') progress[event.index]!.ended = true;
  }
  return progress;
}

/** A step's events arrive together or not at all, so an answer is never cut between its last text and its end. */
function cuts(events: readonly EngineEvent[]): number[] {
  return events.flatMap((event, index) => {
    const before = events[index - 1];
    const insideEnd = event.type === 'done' && before?.type === 'delta' && before.tokens.length === 0;
    return index === 0 || insideEnd ? [] : [index];
  });
}

function assertResumable(wanted: GenerateRequest): void {
  const whole = eventsOf(wanted);
  for (const cut of cuts(whole)) {
    const before = progressAfter(whole, cut, wanted.choices);
    if (before.every(({ ended }) => ended)) continue;
    const resumed: ResumedChoice[] = before.map(({ tokens, ended }) => ({ tokens, ended }));
    const after = eventsOf({ ...wanted, resumed });
    const rest = progressAfter(after, after.length, wanted.choices);
    for (const [index, { text, tokens, ended }] of before.entries()) {
      const answer = answerAlone(wanted, index, smallConfig.maxContext);
      assert.equal(letters(text + rest[index]!.text), letters(answer.text), `text cut at event ${cut}`);
      assert.deepEqual([...tokens, ...rest[index]!.tokens], answer.tokens, `tokens cut at event ${cut}`);
      assert.equal(rest[index]!.ended, !ended, 'each choice ends once');
    }
    for (const event of after) {
      if (event.type !== 'done') continue;
      const answer = answerAlone(wanted, event.index, smallConfig.maxContext);
      assert.equal(event.finishReason, answer.finishReason);
      assert.equal(event.stopSequence, answer.stopSequence);
      assert.equal(event.completionTokens, answer.tokens.length);
    }
  }
}

test('an answer that is cut anywhere goes on elsewhere as if it had not been', () => {
  for (let seed = 0; seed < 40; seed++) {
    const sampling = { ...request().sampling, seed, ignoreEos: seed % 2 === 0 };
    assertResumable(request({ prompt: prompt(9, seed), maxTokens: 20, sampling }));
  }
});

test('stop strings go on across the cut, also one that was complete', () => {
  for (let seed = 0; seed < 40; seed++) {
    const sampling = { ...request().sampling, seed };
    assertResumable(request({ prompt: prompt(6, seed), maxTokens: 30, sampling, stop: ['bc', 'abca', '€'] }));
  }
});

test('of several choices only those that have not ended go on', () => {
  for (let seed = 0; seed < 20; seed++) {
    const sampling = { ...request().sampling, seed, ignoreEos: false };
    assertResumable(request({ prompt: prompt(10, seed), choices: 3, maxTokens: 16, sampling, stop: ['ab'] }));
  }
});

test('what was generated elsewhere counts as generated, not as prompt', () => {
  const { core, of, finish } = testCore();
  const wanted = request({
    prompt: prompt(8),
    maxTokens: 4,
    resumed: [{ tokens: [1, 2, 3, 4], ended: false }],
  });
  core.submit(wanted);
  finish();
  assert.deepEqual(
    of(wanted.id).map(({ type }) => type),
    ['prompt', 'done'],
  );
  const end = of(wanted.id).at(-1)!;
  assert.ok(end.type === 'done' && end.finishReason === 'length' && end.completionTokens === 4);
});

test('more tokens than the context holds are refused', () => {
  const { core, of } = testCore({ maxContext: 16 });
  const tokens = Array.from({ length: 12 }, () => 1);
  const wanted = request({ prompt: prompt(8), maxTokens: 100, resumed: [{ tokens, ended: false }] });
  core.submit(wanted);
  core.flush();
  const [end] = of(wanted.id);
  assert.ok(end?.type === 'error' && end.code === 'request_too_large');
});
