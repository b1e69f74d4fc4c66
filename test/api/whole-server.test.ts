import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { WebSocket } from 'ws';
import { type ConnectOptions, SluiceClient } from '../../src/client/index.js';
import type { ServedModel } from '../../src/gateway/models.js';
import { eventually } from '../support/eventually.js';
import { Random } from '../support/gguf/random.js';
import { sseEvents } from '../support/server.js';
import { startWholeServer, type WholeServer } from '../support/whole-server.js';

interface Answer {
  id: string;
  choices: {
    text: string;
    message: { content: string };
    finish_reason: string;
    delta?: { content?: string };
  }[];
  usage: {
    prompt_tokens: number;
    completion_tokens: number;
    prompt_tokens_details: { cached_tokens: number };
  };
}

let whole: WholeServer;
let model: ServedModel;
let url: string;
before(async () => {
  whole = await startWholeServer();
  ({ model, url } = whole);
});
after(() => whole.close());

function post(path: string, body: object): Promise<Response> {
  return whole.post(path, body);
}

async function answer(path: string, body: object): Promise<Answer> {
  const response = await post(path, body);
  assert.equal(response.status, 200, await response.clone().text());
  return (await response.json()) as Answer;
}

const greedy = { temperature: 0, max_tokens: 16, ignore_eos: true };

test('the streamed text is the whole text, and greedy text repeats', async () => {
  const body = { prompt: 'abc def', ...greedy };
  const whole = await answer('/v1/completions', body);
  const events = (await sseEvents(await post('/v1/completions', { ...body, stream: true }))) as Answer[];
  assert.equal(events.pop(), '[DONE]');
  const streamed = events.map(({ choices }) => choices[0]!.text).join('');
  assert.equal(streamed, whole.choices[0]!.text);
  assert.equal(whole.usage.completion_tokens, 16);
});

test('chat goes through the model’s template, streamed and whole alike', async () => {
  const body = { messages: [{ role: 'user', content: 'abc' }], ...greedy };
  const whole = await answer('/v1/chat/completions', body);
  const events = (await sseEvents(await post('/v1/chat/completions', { ...body, stream: true }))) as Answer[];
  events.pop();
  const streamed = events.map(({ choices }) => choices[0]!.delta?.content ?? '').join('');
  assert.equal(streamed, whole.choices[0]!.message.content);
  assert.ok(whole.usage.prompt_tokens > 1);
});

test('tools that a template has no place for are said to be left out, and no call of them can be required', async () => {
  const tools = [{ type: 'function', function: { name: 'weather', parameters: { type: 'object' } } }];
  const body = { messages: [{ role: 'user', content: 'abc' }], tools, ...greedy };
  const warned = await post('/v1/chat/completions', body);
  assert.equal(warned.status, 200);
  assert.match(warned.headers.get('x-sluice-warning')!, /no tools; they were left out/);
  const without = await post('/v1/chat/completions', { ...body, tool_choice: 'none' });
  assert.equal(without.headers.get('x-sluice-warning'), null);
  for (const tool_choice of ['required', { type: 'function', function: { name: 'weather' } }]) {
    const refused = await post('/v1/chat/completions', { ...body, tool_choice });
    assert.equal(refused.status, 400);
    const { error } = (await refused.json()) as { error: { code: string; param: string } };
    assert.deepEqual([error.code, error.param], ['unsupported_parameter', 'tool_choice']);
  }
});

test('operators see how the engine computes', async () => {
  await answer('/v1/completions', { prompt: 'abc def', ...greedy });
  const { data } = (await (await fetch(`${url}/admin/engine`)).json()) as { data: Record<string, unknown>[] };
  const { model: id, placement, attention, attention_reason, pages, steps } = data[0]!;
  assert.deepEqual([id, placement, attention], [model.id, 'pages', 'paged']);
  assert.match(String(attention_reason), /^(avx512|avx2|portable)/);
  const { total, free, cached, live } = pages as Record<string, number>;
  assert.ok(total! > 0 && free! + cached! + live! === total);
  assert.ok(Number(steps) > 0);
});

test('a prefix that was computed is not computed again', async () => {
  const prompt = `${'the same words again and again '.repeat(3)}and then`;
  const first = await answer('/v1/completions', { prompt, ...greedy });
  const second = await answer('/v1/completions', { prompt, ...greedy });
  assert.ok(second.usage.prompt_tokens_details.cached_tokens >= first.usage.prompt_tokens - 8);
  assert.equal(second.choices[0]!.text, first.choices[0]!.text);
});

test('a conversation that is too long is cut to what is asked, and the answer says how', async () => {
  const messages = [
    { role: 'user', content: 'an old question' },
    { role: 'assistant', content: 'an old answer' },
    { role: 'user', content: 'the new question' },
  ];
  const { usage } = await answer('/v1/chat/completions', { messages, ...greedy });
  const body = { messages, ...greedy, optimize_prompt: { max_tokens: usage.prompt_tokens - 1 } };
  const response = await post('/v1/chat/completions', body);
  const cut = (await response.json()) as Answer & {
    trimmed: { messages_removed: number[]; tokens_after: number }[];
  };
  assert.deepEqual(cut.trimmed[0]!.messages_removed, [0, 1]);
  assert.equal(cut.trimmed[0]!.tokens_after, cut.usage.prompt_tokens);
  const alone = await answer('/v1/chat/completions', { messages: messages.slice(2), ...greedy });
  assert.equal(cut.choices[0]!.message.content, alone.choices[0]!.message.content);
  const impossible = await post('/v1/chat/completions', { ...body, optimize_prompt: { max_tokens: 1 } });
  assert.equal(
    ((await impossible.json()) as { error: { code: string } }).error.code,
    'context_length_exceeded',
  );
  const text = await answer('/v1/completions', {
    prompt: 'One sentence. Another one. The last one.',
    optimize_prompt: { max_tokens: 20, strategy: 'middle_out' },
    ...greedy,
  });
  assert.ok(text.usage.prompt_tokens <= 20);
});

test('a schema holds the answer to its form', async () => {
  const schema = {
    type: 'object',
    properties: { a: { enum: [1, 2] } },
    required: ['a'],
    additionalProperties: false,
  };
  const { choices } = await answer('/v1/completions', {
    prompt: 'json',
    temperature: 0,
    max_tokens: 200,
    response_format: { type: 'json_schema', json_schema: { schema } },
  });
  if (choices[0]!.finish_reason === 'stop') assert.ok([1, 2].includes(JSON.parse(choices[0]!.text).a));
  else assert.match(choices[0]!.text, /^\s*(\{|$)/);
});

test('a grammar that does not parse is the client’s fault', async () => {
  const response = await post('/v1/completions', { prompt: 'a', grammar: 'root ::= (' });
  assert.equal(response.status, 400);
  const { error } = (await response.json()) as { error: { code: string; param: string } };
  assert.equal(error.code, 'invalid_grammar');
  assert.equal(error.param, 'grammar');
});

test('tokens and text undo each other', async () => {
  const { tokens } = (await (await post('/tokenize', { content: 'abc def', add_special: false })).json()) as {
    tokens: number[];
  };
  assert.deepEqual(await (await post('/detokenize', { tokens })).json(), { content: 'abc def' });
});

test('a pinned prefix is used by its id', async () => {
  const pinned = await post('/v1/prefixes', { id: 'p', prompt: 'a pinned beginning of some words' });
  assert.equal(pinned.status, 200, await pinned.clone().text());
  const { usage } = await answer('/v1/completions', { prompt: ' go on', prefix_id: 'p', ...greedy });
  assert.ok(usage.prompt_tokens_details.cached_tokens > 0);
  assert.equal((await fetch(`${url}/v1/prefixes/p`, { method: 'DELETE' })).status, 200);
});

test('under many requests with clients that leave, each ends once and every page comes back', async () => {
  const random = new Random(7);
  const requests = 200;
  const connections = 32;
  const before = await endings();
  let next = 0;
  const client = async () => {
    while (next < requests) {
      const request = next++;
      const abort = new AbortController();
      const stream = random.next() < 0.5;
      const leaves = random.next() < 0.3;
      const prompt = 'some words of a prompt '.repeat(1 + Math.floor(random.next() * 8)) + request;
      const body = JSON.stringify({ prompt, max_tokens: 24, ignore_eos: true, stream });
      const headers = { 'content-type': 'application/json' };
      const sent = fetch(`${url}/v1/completions`, { method: 'POST', headers, body, signal: abort.signal });
      if (leaves) setTimeout(() => abort.abort(), random.next() * 50);
      await sent.then((response) => response.text()).catch((error) => assert.equal(error.name, 'AbortError'));
    }
  };
  await Promise.all(Array.from({ length: connections }, client));
  // A client that leaves before the server has read its request is none of these.
  await eventually(() => model.engine.stats().running === 0 && model.engine.stats().waiting === 0);
  const ended = (await endings()) - before;
  assert.ok(ended <= requests && ended >= requests * 0.6, `${ended} endings`);
  const { pagesLive, pagesFree, pagesCached, pagesTotal } = model.engine.stats();
  assert.equal(pagesLive, 0);
  assert.equal(pagesFree + pagesCached, pagesTotal);
});

/** Requests that ended well or were cancelled; any other ending fails the test. */
async function endings(): Promise<number> {
  const text = await (await fetch(`${url}/metrics`)).text();
  const series = [...text.matchAll(/^llm_requests_total\{model="tiny",status="(\w+)"\} (\d+)/gm)];
  for (const [, status] of series)
    assert.match(status!, /^(ok|cancelled|invalid_grammar|unsupported_parameter|context_length_exceeded)$/);
  return series.reduce((sum, [, , count]) => sum + Number(count), 0);
}

test('cancelling over the WebSocket frees every page', async () => {
  const client = await SluiceClient.connect(url, {
    WebSocket: WebSocket as unknown as ConnectOptions['WebSocket'] & object,
  });
  const long = { prompt: 'abc', max_tokens: 200, ignore_eos: true };
  const generations = Array.from({ length: 8 }, () => client.complete(long));
  for await (const _ of generations[0]!) break; // leaving the loop cancels
  for (const generation of generations) generation.cancel();
  const ends = await Promise.all(generations.map(({ done }) => done));
  assert.equal(ends[0]!.choices[0]!.finish_reason, 'cancelled');
  client.close();
  await eventually(() => model.engine.stats().pagesLive === 0 && model.engine.stats().running === 0);
});
