import assert from 'node:assert/strict';
import { test } from 'node:test';
import { exchange } from '../../../test/eval/exchange.js';
import { anonymousCaller, type Caller } from '../../auth/caller.js';
import { ConfigError, configSchema } from '../../config/index.js';
import type { ValidatedRequest } from '../../generation/types.js';
import type { Endpoint } from '../target/endpoint.js';
import type { Exchange } from './sample.js';
import { liveScorers, SampleScorer } from './sample-scorer.js';

const answered = exchange({
  tenant: 'acme',
  question: { mode: 'completion', prompt: 'The capital of France is' },
  answer: 'Paris, on the Seine',
  maxTokens: 9,
});
const request = {
  caller: { ...anonymousCaller(false), tenant: 'acme' },
  constraint: null,
  maxTokens: 9,
  input: { kind: 'text' },
} as unknown as ValidatedRequest;
const { signal } = new AbortController();
const config = configSchema.parse({}).evaluation;

test('an answer to a similar question is scored against the one that the model gives now', async () => {
  const asked: [tenant: string, body: object][] = [];
  const endpointFor = ({ tenant }: Caller): Endpoint => ({
    post: (_path, body) => {
      asked.push([tenant, body]);
      return Promise.resolve({ body: { choices: [{ text: 'Paris' }] }, latencyMs: 1, isKept: false });
    },
  });
  const scorer = new SampleScorer({ scorers: [], judge: '', endpointFor });
  const { scores, score } = await scorer.score({ ...answered, cacheLevel: 'l3' }, request, signal);
  const [rules, cache] = scores;
  assert.deepEqual([rules!.name, rules!.value], ['rules', 1]);
  assert.equal(cache!.name, 'cache_overlap');
  assert.ok(Math.abs(cache!.value! - 2 / 4) < 1e-9, 'F1 of one word of three');
  assert.equal(score, 1, 'the cache’s fault isn’t the model’s');
  const [tenant, body] = asked[0]!;
  assert.equal(tenant, 'acme');
  assert.equal((body as { priority: number }).priority, 9, 'behind what users wait for');
});

test('a judge says whether the fresh answer is better than the cached one', async () => {
  const cacheScore = async (cached: string) => {
    const endpointFor = (): Endpoint => ({
      post: (_path, body) => {
        const { model, messages } = body as { model: string; messages?: { content: string }[] };
        const likes = (text: string) => (text.includes('first answer\nParis') ? 'first' : 'second');
        const content = JSON.stringify({ reasoning: 'r', better: likes(messages?.[0]?.content ?? '') });
        const choice = model === 'judge' ? { message: { content } } : { text: 'Paris' };
        return Promise.resolve({ body: { choices: [choice] }, latencyMs: 1, isKept: false });
      },
    });
    const scorer = new SampleScorer({ scorers: [], judge: 'judge', endpointFor });
    const { scores } = await scorer.score({ ...answered, answer: cached, cacheLevel: 'l3' }, request, signal);
    return scores.find(({ name }) => name === 'cache')!.value;
  };
  assert.equal(await cacheScore('Lyon'), 0);
  assert.equal(await cacheScore('Paris'), 1, 'the same');
});

test('a score of all is unknown where one is; scorers that a request can’t have are left out', async () => {
  const scorers = await liveScorers({ ...config, scorers: [{ type: 'perplexity' }] });
  const endpointFor = () => ({ post: () => Promise.reject(new Error('gone')) });
  const scorer = new SampleScorer({ scorers, judge: '', endpointFor });
  const overall = async (more: Partial<Exchange>) =>
    (await scorer.score({ ...answered, ...more }, request, signal)).score;
  assert.equal(await overall({}), null);
  assert.equal(await overall({ question: { mode: 'chat', messages: [] } }), 1);
  assert.equal(await overall({ answer: '' }), 0);
  assert.equal(await overall({ answer: '', finishReason: 'tool_calls' }), null, 'nothing to look at');

  const weighted = await liveScorers({ ...config, scorers: [{ type: 'regex', pattern: 'x', weight: 3 }] });
  const scored = new SampleScorer({ scorers: weighted, judge: '', endpointFor });
  assert.equal((await scored.score(answered, request, signal)).score, 1 / 4);
});

test('a scorer that fails is a score that is unknown; the others stand', async () => {
  const down: Endpoint = { post: () => Promise.reject(new Error('gone')) };
  const scorers = await liveScorers({
    ...config,
    scorers: [{ type: 'perplexity' }, { type: 'regex', pattern: 'Seine' }],
  });
  const { scores } = await new SampleScorer({ scorers, judge: '', endpointFor: () => down }).score(
    answered,
    request,
    signal,
  );
  assert.deepEqual(
    scores.map(({ name, value }) => [name, value]),
    [
      ['rules', 1],
      ['perplexity', null],
      ['regex', 1],
    ],
  );
  assert.equal(scores[1]!.detail, 'gone');
});

test('scorers that live requests can’t have are refused at start, by their place', async () => {
  const refused = (scorer: object, message: RegExp) =>
    assert.rejects(liveScorers({ ...config, scorers: [{ ...scorer }] }), (error: ConfigError) => {
      assert.ok(error instanceof ConfigError);
      assert.match(error.faults[0]!, message);
      return true;
    });
  await refused({ type: 'exact' }, /^evaluation\.scorers\.0: exact isn't possible/);
  await refused({ type: 'contains' }, /^evaluation\.scorers\.0: contains isn't possible/);
  await refused({ type: 'judge' }, /^evaluation\.scorers\.0: judge needs criteria/);
  await refused({ type: 'regex', pattern: '(' }, /^evaluation\.scorers\.0: /);
  await refused({ type: 'magic' }, /^evaluation\.scorers\.0: /);
  await assert.rejects(liveScorers({ ...config, judge: 'j' }), (error: ConfigError) =>
    /^evaluation\.criteria: /.test(error.faults[0]!),
  );
});
