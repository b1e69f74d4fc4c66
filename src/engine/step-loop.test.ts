import assert from 'node:assert/strict';
import { test } from 'node:test';
import { prompt, request, smallConfig, testCore } from '../../test/sim/core.js';
import { answerAlone, promptLogprobsAlone } from '../../test/sim/oracle.js';
import type { EngineEvent, GenerateRequest } from './types.js';

const last = (events: EngineEvent[]) => events.at(-1)!;

function assertAnswers(
  events: EngineEvent[],
  wanted: GenerateRequest,
  maxContext = smallConfig.maxContext,
): void {
  for (let index = 0; index < wanted.choices; index++) {
    const own = events.filter((event) => 'index' in event && event.index === index);
    const text = own.map((event) => (event.type === 'delta' ? event.text : '')).join('');
    const end = last(own);
    assert.equal(end.type, 'done');
    if (end.type !== 'done') return;
    const answer = answerAlone(wanted, index, maxContext);
    const { finishReason, stopSequence } = end;
    const { tokens: _, ...expected } = answer;
    assert.deepEqual({ text, finishReason, stopSequence }, expected);
    assert.equal(end.completionTokens, answer.tokens.length);
  }
}

test('the choices of a request compute their prompt once', () => {
  const { core, context, of, finish } = testCore();
  const wanted = request({ prompt: prompt(41), choices: 4, maxTokens: 6 });
  core.submit(wanted);
  finish();
  assertAnswers(of(wanted.id), wanted);
  const recomputed = 3 * 1; // the token after ten shared pages
  assert.equal(context.tokensComputed, 41 + recomputed + 4 * 5);
  assert.equal(of(wanted.id).filter((event) => event.type === 'prompt').length, 1);
});

test('a deadline ends a request wherever it is, also while it waits', () => {
  const { core, clock, of, events } = testCore({ maxSequences: 1 });
  const running = request({ maxTokens: 100, deadlineMs: clock.nowMs + 500 });
  const waiting = request({ deadlineMs: clock.nowMs + 200 });
  core.submit(running);
  core.submit(waiting);
  core.step();
  clock.nowMs += 300;
  core.step();
  assert.equal(last(of(waiting.id)).type === 'error' && last(events).id, running.id);
  clock.nowMs += 300;
  core.step();
  const end = last(of(running.id));
  assert.equal(end.type === 'error' && end.code, 'deadline_exceeded');
  assert.equal(core.hasWork, false);
  assert.equal(core.stats().pagesLive, 0);
});

test('a full queue refuses with an estimate from the pace of the queue', () => {
  const { core, clock, of } = testCore({ maxSequences: 1, maxQueue: 2 });
  for (let i = 0; i < 40; i++) {
    core.submit(request({ maxTokens: 1 }));
    clock.nowMs += 3_000;
    core.step(); // one request every three seconds
  }
  const all = Array.from({ length: 4 }, () => request());
  for (const each of all) core.submit(each);
  core.flush();
  const end = last(of(all[3]!.id));
  assert.ok(end.type === 'error' && end.code === 'queue_full');
  assert.ok(
    end.retryAfterSeconds! >= 8 && end.retryAfterSeconds! <= 10,
    `${end.retryAfterSeconds} s for three`,
  );
  assert.equal(core.stats().rejections, 1);
});

test('who leaves the queue, by whatever way, leaves room in it', () => {
  const { core, clock, of } = testCore({ maxSequences: 1, maxQueue: 1 });
  const running = request({ maxTokens: 100 });
  core.submit(running);
  core.step();
  const [cancelled, late, accepted, refused] = [
    request(),
    request({ deadlineMs: clock.nowMs + 1 }),
    request(),
    request(),
  ];
  core.submit(cancelled);
  core.cancel(cancelled.id);
  core.submit(late);
  clock.nowMs += 2;
  core.step();
  core.submit(accepted);
  core.submit(refused);
  core.flush();
  assert.deepEqual(
    [cancelled, late, accepted, refused].map(({ id }) =>
      of(id).map((event) => (event.type === 'error' ? event.code : event.type)),
    ),
    [['done'], ['deadline_exceeded'], [], ['queue_full']],
  );
});

test('what can never fit is refused with the reason', () => {
  const { core, of } = testCore({ pages: 8, maxContext: 128 });
  const [tooLong, noRoom, pool, promptOnly] = [
    request({ prompt: prompt(129), maxTokens: 0 }),
    request({ prompt: prompt(128), maxTokens: 1 }),
    request({ prompt: prompt(20), maxTokens: 13 }),
    request({ prompt: prompt(32), maxTokens: 0 }),
  ];
  for (const each of [tooLong, noRoom, pool, promptOnly]) core.submit(each);
  core.step();
  for (const { id } of [tooLong, noRoom, pool]) {
    const end = last(of(id));
    assert.equal(end.type === 'error' && end.code, 'request_too_large');
  }
  const end = last(of(promptOnly.id));
  assert.ok(end.type === 'done' && end.finishReason === 'length' && end.completionTokens === 0);
});

test("the context's end is a length", () => {
  const { core, of, finish } = testCore({ maxContext: 16 });
  const wanted = request({ prompt: prompt(12), maxTokens: 100 });
  core.submit(wanted);
  finish();
  assertAnswers(of(wanted.id), wanted, 16);
  const end = last(of(wanted.id));
  assert.ok(end.type === 'done' && end.finishReason === 'length' && end.completionTokens === 4);
});

test('prompt log-probabilities come in chunks of the outputs there are, and read no cache', () => {
  const { core, of, finish, context } = testCore({ maxOutputs: 8 + 5 });
  const warm = request({ prompt: prompt(24), maxTokens: 0 });
  core.submit(warm);
  finish();
  const wanted = request({ prompt: prompt(24), maxTokens: 3, promptLogprobs: 2, choices: 2 });
  core.submit(wanted);
  finish();
  const first = of(wanted.id)[0]!;
  assert.ok(first.type === 'prompt');
  assert.equal(first.cachedTokens, 0);
  assert.deepEqual(first.logprobs, promptLogprobsAlone(wanted));
  assertAnswers(of(wanted.id), wanted);
  assert.ok(context.forwards >= 1 + Math.ceil(23 / 5));
});

test('log-probabilities come with each token', () => {
  const { core, of, finish } = testCore();
  const wanted = request({ maxTokens: 5, sampling: { ...request().sampling, topLogprobs: 3 } });
  core.submit(wanted);
  finish();
  for (const event of of(wanted.id)) {
    if (event.type !== 'delta') continue;
    assert.deepEqual(
      event.logprobs!.map(({ token }) => token),
      event.tokens,
    );
    for (const { logprob, top } of event.logprobs!) {
      assert.ok(logprob <= 0);
      assert.equal(top.length, 3);
    }
  }
});

test('a failed forward ends the requests of its batch; the others and the books are unharmed', () => {
  let failing = false;
  const { core, of, finish } = testCore({ maxSequences: 2 }, (call) => {
    if (failing && call === 'forward') throw new Error('injected');
  });
  const [a, b, waiting] = [
    request({ maxTokens: 30 }),
    request({ maxTokens: 30 }),
    request({ maxTokens: 30 }),
  ];
  for (const each of [a, b, waiting]) core.submit(each);
  core.step();
  failing = true;
  core.step();
  failing = false;
  for (const { id } of [a, b]) {
    const end = last(of(id));
    assert.equal(end.type === 'error' && end.code, 'engine_failed');
  }
  assert.equal(core.stats().pagesLive, 0);
  finish();
  assertAnswers(of(waiting.id), waiting);
});

test('a failed sample ends the requests that were to get a token, not the prompts that were only read', () => {
  let failing = false;
  const { core, of, finish } = testCore({ maxBatchTokens: 16 }, (call) => {
    if (failing && call === 'sample') throw new Error('injected');
  });
  const [decoding, long] = [request({ maxTokens: 30 }), request({ prompt: prompt(40), maxTokens: 3 })];
  core.submit(decoding);
  core.step();
  core.submit(long);
  failing = true;
  core.step();
  failing = false;
  finish();
  const end = last(of(decoding.id));
  assert.equal(end.type === 'error' && end.code, 'engine_failed');
  assertAnswers(of(long.id), long);
});

test('a grammar that the sampler refuses ends only its request', () => {
  const { core, of, finish } = testCore();
  const wrong = request({ sampling: { ...request().sampling, grammar: 'bad' } });
  const right = request({ prompt: prompt(9) });
  core.submit(wrong);
  core.submit(right);
  finish();
  const end = last(of(wrong.id));
  assert.ok(end.type === 'error' && end.code === 'invalid_grammar' && end.message === 'bad grammar');
  assertAnswers(of(right.id), right);
});

test('a cancel frees the pages before the next step', () => {
  const { core, of } = testCore();
  const wanted = request({ prompt: prompt(30), choices: 3, maxTokens: 50 });
  core.submit(wanted);
  for (let i = 0; i < 4; i++) core.step();
  assert.equal(core.stats().running, 3);
  core.cancel(wanted.id);
  assert.deepEqual([core.stats().running, core.stats().pagesLive, core.hasWork], [0, 0, false]);
  core.flush();
  const ends = of(wanted.id).filter((event) => event.type === 'done');
  assert.deepEqual(
    ends.map((end) => end.finishReason),
    ['cancelled', 'cancelled', 'cancelled'],
  );
});

test('a session keeps its conversation when everything else is evicted', () => {
  const { core, of, finish } = testCore({ pages: 32, maxContext: 120 });
  const first = request({ prompt: prompt(17), maxTokens: 8, sessionId: 's' });
  core.submit(first);
  finish();
  const answer = answerAlone(first, 0, 120).tokens;
  core.submit(request({ prompt: prompt(90, 3), maxTokens: 10 }));
  finish();
  const next = request({
    prompt: Int32Array.from([...first.prompt, ...answer, 1, 2]),
    maxTokens: 2,
    sessionId: 's',
  });
  core.submit(next);
  finish();
  const head = of(next.id)[0]!;
  assert.equal(head.type === 'prompt' && head.cachedTokens, 24, 'all whole pages of 17 + 7 computed tokens');
  assert.equal(core.stats().sessions, 1);
});

test('without sharing nothing is kept: cachePrompt false, prefixCache false, and models placed by sequence', () => {
  const twice = (overrides: Partial<GenerateRequest>, core: ReturnType<typeof testCore>) => {
    for (let i = 0; i < 2; i++) {
      const wanted = request({ prompt: prompt(30), ...overrides });
      core.core.submit(wanted);
      core.finish();
      assertAnswers(core.of(wanted.id), wanted);
      const head = core.of(wanted.id)[0]!;
      assert.equal(head.type === 'prompt' && head.cachedTokens, 0);
    }
    assert.equal(core.core.stats().pagesFree, smallConfig.pages);
    assert.equal(core.core.stats().prefixQueries, 0);
  };
  twice({ cachePrompt: false }, testCore());
  twice({}, testCore({ prefixCache: false }));
  twice({}, testCore({}, undefined, 'sequences'));
});

test('prefixes cannot be pinned where nothing is shared', () => {
  const { core } = testCore({ prefixCache: false });
  let refused: unknown;
  core.pinPrefix('a', 'p', prompt(8), (result) => {
    refused = 'error' in result && result.error.code;
  });
  assert.equal(refused, 'unsupported_parameter');
});

test('steps and their parts are counted', () => {
  const { core, finish } = testCore({}, (_, tokens, clock) => {
    clock.nowMs += tokens;
  });
  core.submit(request({ prompt: prompt(30), maxTokens: 5 }));
  finish();
  const stats = core.stats();
  assert.deepEqual([stats.steps, stats.promptTokens, stats.generatedTokens], [5, 30, 5]);
  assert.deepEqual([stats.forwardMs, stats.sampleMs, stats.scheduleMs, stats.emitMs], [34, 5, 0, 0]);
});

test('sizes that contradict each other are refused at the start', () => {
  assert.throws(() => testCore({ maxBatchTokens: 7 }), /maxBatchTokens is below maxSequences/);
  assert.throws(() => testCore({ maxOutputs: 8 }), /maxOutputs must be over maxSequences/);
});

test('a sequence for which no token can be chosen fails alone', () => {
  const { core, context, of, finish } = testCore();
  const [stuck, other] = [request({ prompt: prompt(20, 1) }), request({ prompt: prompt(20, 2) })];
  const sample = context.sample.bind(context);
  context.sample = (count, outputs, sequences, result) => {
    sample(count, outputs, sequences, result);
    result.tokens[0] = -1;
    context.sample = sample;
  };
  core.submit(stuck);
  core.submit(other);
  finish();
  const end = last(of(stuck.id));
  assert.equal(end.type === 'error' && end.code, 'engine_failed');
  assertAnswers(of(other.id), other);
  assert.equal(core.stats().pagesLive, 0);
});
