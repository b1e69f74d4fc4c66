import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sseEvents, startTestServer } from '../support/server.js';
import { fails, type Reply, StubUpstream, says } from '../support/upstream.js';

interface Answer {
  model: string;
  choices: { message: { content: string }; logprobs: unknown }[];
  error: { code: string };
  sluice: {
    model: string;
    cost_dollars: number;
    quality: number;
    steps: { model: string; outcome: string; quality: number | null; cost_dollars: number }[];
  };
}

/** An answer whose tokens all have the same log-probability, shown only where it was asked for. */
function sure(text: string, logprob: number): Reply {
  return (call, response) => {
    const content = text.split(' ').map((token) => ({ token, logprob, top_logprobs: [] }));
    const logprobs = call.body.logprobs === true ? { content } : null;
    const choices = [{ index: 0, message: { content: text }, logprobs, finish_reason: 'stop' }];
    response.end(JSON.stringify({ choices, usage: { prompt_tokens: 10, completion_tokens: 10 } }));
  };
}

/** cheap (1), middle (10) and best (100 dollars a million tokens). */
async function cascade(replies: { cheap: Reply; middle: Reply; best: Reply }, route: object = {}) {
  const upstreams = new Map<string, StubUpstream>();
  const models = [];
  for (const [position, [id, reply]] of Object.entries(replies).reverse().entries()) {
    const upstream = await StubUpstream.start(reply);
    upstreams.set(id, upstream);
    const price = { input: 10 ** (2 - position), output: 10 ** (2 - position) };
    models.push({ id, price, upstream: { url: upstream.url, retries: 0, probeIntervalMs: 0 } });
  }
  const routes = [{ name: 'ladder', strategy: 'cascade', models: ['best', 'cheap', 'middle'], ...route }];
  const settings = { 'routing.models': models, 'routing.routes': routes };
  const server = await startTestServer({ withoutEngine: true, settings });
  const ask = async (body: object = {}) => {
    const messages = [{ role: 'user', content: 'hi' }];
    const response = await server.post('/v1/chat/completions', {
      model: 'ladder',
      messages,
      max_tokens: 10,
      ...body,
    });
    return { status: response.status, body: (await response.json()) as Answer };
  };
  return {
    server,
    upstreams,
    ask,
    async [Symbol.asyncDispose]() {
      server.close();
      await server.server.router.fleet.close();
      for (const upstream of upstreams.values()) await upstream[Symbol.asyncDispose]();
    },
  };
}

const outcomes = ({ body }: { body: Answer }) =>
  body.sluice.steps.map(({ model, outcome }) => `${model} ${outcome}`);

test('a sure answer of the cheapest is enough; log-probabilities that only we asked for are not shown', async () => {
  await using world = await cascade({ cheap: sure('Paris', -0.01), middle: says('x'), best: says('y') });
  const answer = await world.ask();
  assert.equal(answer.body.model, 'cheap');
  assert.equal(answer.body.choices[0]!.message.content, 'Paris');
  assert.equal(answer.body.choices[0]!.logprobs, null);
  assert.ok(answer.body.sluice.quality >= 0.7);
  assert.deepEqual(outcomes(answer), ['cheap answered']);
  assert.equal(world.upstreams.get('middle')!.calls.length, 0);
  const shown = await world.ask({ logprobs: true });
  assert.ok(shown.body.choices[0]!.logprobs);
});

test('doubtful, refusing and broken answers are passed over, and all steps are paid for', async () => {
  await using world = await cascade({
    cheap: sure('perhaps', -4),
    middle: sure("I'm sorry, but I can't help with that.", -0.01),
    best: sure('Paris', -0.01),
  });
  const answer = await world.ask();
  assert.deepEqual(outcomes(answer), ['cheap below_threshold', 'middle below_threshold', 'best answered']);
  const costs = answer.body.sluice.steps.map(({ cost_dollars }) => cost_dollars);
  assert.deepEqual(
    costs.map((cost) => Math.round(cost * 1e6)),
    [20, 200, 2000],
  );
  assert.ok(Math.abs(answer.body.sluice.cost_dollars - 2220e-6) < 1e-12);
});

test('the threshold can be given with the request', async () => {
  await using world = await cascade({
    cheap: sure('perhaps', -4),
    middle: sure('x', -0.01),
    best: says('y'),
  });
  assert.equal((await world.ask({ quality_threshold: 0 })).body.model, 'cheap');
  assert.equal((await world.ask({ quality_threshold: 1 })).body.model, 'best');
});

test('max_cost skips what is too dear, counting what was spent', async () => {
  await using world = await cascade({ cheap: sure('perhaps', -4), middle: sure('hm', -4), best: says('y') });
  const answer = await world.ask({ max_cost: 0.0005 });
  assert.equal(answer.body.model, 'middle');
  assert.deepEqual(outcomes(answer), ['best too_dear', 'cheap below_threshold', 'middle answered']);
  assert.equal(world.upstreams.get('best')!.calls.length, 0);
});

test('a model that fails is a step like another; the answer before it has to do where nothing better comes', async () => {
  await using world = await cascade({ cheap: fails(500), middle: sure('hm', -4), best: fails(500) });
  const answer = await world.ask();
  assert.equal(answer.body.model, 'middle');
  assert.deepEqual(outcomes(answer), [
    'cheap upstream_failed',
    'middle below_threshold',
    'best upstream_failed',
  ]);
});

test('where all fail the last failure is told', async () => {
  await using world = await cascade({ cheap: fails(500), middle: fails(500), best: fails(401) });
  assert.equal((await world.ask()).body.error.code, 'upstream_misconfigured');
});

test('a stream shows nothing of the answers that were passed over', async () => {
  await using world = await cascade({
    cheap: says('I cannot answer that, sorry'),
    middle: says('A proper answer'),
    best: says('The best'),
  });
  const messages = [{ role: 'user', content: 'hi' }];
  const response = await world.server.post('/v1/chat/completions', {
    model: 'ladder',
    stream: true,
    messages,
  });
  assert.equal(response.headers.get('x-sluice-model'), 'middle');
  const events = (await sseEvents(response)) as { choices: { delta: { content?: string } }[] }[];
  const text = events
    .flatMap(({ choices }) => choices?.map(({ delta }) => delta.content ?? '') ?? [])
    .join('');
  assert.equal(text, 'A proper answer');
});

test('a judge: its rating decides, and its cost is part of the step', async () => {
  let ratings = ['2', '5'];
  const judging: Reply = (call, response) => {
    const prompt = JSON.stringify(call.body.messages);
    assert.match(prompt, /<<<request/);
    const [rating = '5', ...rest] = ratings;
    ratings = rest;
    says(rating)(call, response);
  };
  await using world = await cascade(
    { cheap: says('one'), middle: says('two'), best: judging },
    { models: ['cheap', 'middle'], cascade: { estimator: 'judge', judge: 'best' } },
  );
  const answer = await world.ask();
  assert.deepEqual(
    answer.body.sluice.steps.map(({ model, quality }) => [model, quality]),
    [
      ['cheap', 0.25],
      ['middle', 1],
    ],
  );
  assert.ok(
    answer.body.sluice.steps[0]!.cost_dollars > 900e-6,
    'ten tokens of the judge at 100 dollars a million',
  );
});

test('a judge that fails leaves the answer unjudged: the next model is asked', async () => {
  await using world = await cascade(
    { cheap: says('one'), middle: says('two'), best: fails(500) },
    { models: ['cheap', 'middle'], cascade: { estimator: 'judge', judge: 'best' } },
  );
  const answer = await world.ask();
  assert.equal(answer.body.model, 'middle');
  assert.equal(answer.body.sluice.quality, null);
});
