import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { scorerSpec } from '../suite/schema.js';
import { createSuite } from '../suite/suite.js';
import type { Endpoint } from '../target/endpoint.js';
import { EvalTarget } from '../target/target.js';
import { createScorer } from './create.js';
import { numbersIn } from './number.js';
import type { Score } from './scorer.js';

const silent: Endpoint = { post: () => Promise.reject(new Error('not asked')) };

async function scoreOf(
  spec: object,
  answer: string,
  given: { expected?: string[]; choices?: string[]; prompt?: string } = {},
  endpoint: Endpoint = silent,
  directory = '.',
): Promise<Score> {
  const { prompt = 'p', ...rest } = given;
  const file = { name: 's', defaults: {}, cases: [{ prompt, scorers: [scorerSpec.parse(spec)], ...rest }] };
  const [subject] = createSuite(file, directory).cases;
  const score = await createScorer(subject!.scorers[0]!, directory);
  const target = new EvalTarget(endpoint, 'm');
  return await score({ subject: subject!, answer, target, judges: [], signal: new AbortController().signal });
}

async function valueFor(...given: Parameters<typeof scoreOf>): Promise<number | null> {
  return (await scoreOf(...given)).value;
}

test('exact and normalised matches', async () => {
  const expected = ['The Eiffel Tower', 'Tour Eiffel'];
  assert.equal(await valueFor({ type: 'exact' }, 'Tour Eiffel', { expected }), 1);
  assert.equal(await valueFor({ type: 'exact' }, ' Tour Eiffel', { expected }), 0);
  assert.equal(await valueFor({ type: 'normalised' }, ' eiffel tower!', { expected }), 1);
  assert.equal(await valueFor({ type: 'normalised' }, 'eiffel towers', { expected }), 0);
});

test('contains: any, or all', async () => {
  assert.equal(await valueFor({ type: 'contains', text: ['a', 'z'] }, 'abc'), 1);
  assert.equal(await valueFor({ type: 'contains', text: ['a', 'z'], all: true }, 'abc'), 0);
  assert.equal(await valueFor({ type: 'contains' }, 'It is Paris.', { expected: ['Paris'] }), 1);
});

test('a regular expression can’t take exponential time, and can be forbidden', async () => {
  assert.equal(await valueFor({ type: 'regex', pattern: '^(a+)+$' }, `${'a'.repeat(5_000)}b`), 0);
  assert.equal(await valueFor({ type: 'regex', pattern: '\\d{4}' }, 'in 1999'), 1);
  assert.equal(await valueFor({ type: 'regex', pattern: '\\n', not: true }, 'one line'), 1);
  await assert.rejects(scoreOf({ type: 'regex', pattern: '(' }, ''));
});

test('numbers: formats, tolerance, first or last', async () => {
  assert.deepEqual(numbersIn('from -1,234.5 to 2e3, or −7'), [-1234.5, 2000, -7]);
  const expected = ['100'];
  assert.equal(await valueFor({ type: 'number' }, 'It is 100.', { expected }), 1);
  assert.equal(await valueFor({ type: 'number' }, '4 × 25 = 100', { expected }), 0);
  assert.equal(await valueFor({ type: 'number', pick: 'last' }, '4 × 25 = 100', { expected }), 1);
  assert.equal(await valueFor({ type: 'number', tolerance: 0.05, relative: true }, '104', { expected }), 1);
  assert.equal(await valueFor({ type: 'number', tolerance: 0.05, relative: true }, '106', { expected }), 0);
  assert.equal(await valueFor({ type: 'number' }, 'none', { expected }), 0);
});

test('JSON: valid, by schema, and equal whatever the order of its keys', async () => {
  const schema = { type: 'object', properties: { age: { type: 'integer' } }, required: ['age'] };
  assert.equal(await valueFor({ type: 'json' }, '{"a": 1'), 0);
  assert.equal(await valueFor({ type: 'json', schema }, '{"age": 7}'), 1);
  const wrong = await scoreOf({ type: 'json', schema }, '{"age": "7"}');
  assert.equal(wrong.value, 0);
  assert.match(wrong.detail!, /age must be integer/);
  assert.equal(
    await valueFor({ type: 'json' }, '{"b": 2, "a": [1]}', { expected: ['{"a": [1], "b": 2}'] }),
    1,
  );
  assert.equal(await valueFor({ type: 'json' }, '{"a": 2}', { expected: ['{"a": 1}'] }), 0);
});

test('F1 and ROUGE: values by hand', async () => {
  const expected = ['the cat sat on the mat'];
  const near = (actual: number | null, wanted: number) =>
    assert.ok(Math.abs(actual! - wanted) < 1e-9, `${actual}`);
  near(await valueFor({ type: 'f1' }, 'a cat on a mat', { expected }), (2 * 3) / (3 + 4));
  near(await valueFor({ type: 'rouge', variant: '2' }, 'cat sat down', { expected }), (2 * 1) / (2 + 3));
  near(await valueFor({ type: 'rouge' }, 'mat cat sat', { expected }), (2 * 2) / (3 + 4));
  near(await valueFor({ type: 'f1' }, '', { expected }), 0);
});

/** Every token is a character of log-probability −1, but "!" is certain. */
const characters: Endpoint = {
  post: (_path, body) => {
    const { prompt } = body as { prompt: string[] };
    const choices = prompt.map((text, index) => {
      const token_logprobs = [...text].map((character, at) => (at === 0 ? null : character === '!' ? 0 : -1));
      return { index, logprobs: { token_logprobs, text_offset: [...text].map((_, at) => at) } };
    });
    return Promise.resolve({ body: { choices }, latencyMs: 1, isKept: false });
  },
};

test('choice: the likeliest continuation, by sum or by byte', async () => {
  const given = { prompt: 'abc', choices: [' no', ' yes!!!!'], expected: [' yes!!!!'] };
  assert.equal(await valueFor({ type: 'choice' }, '', given, characters), 0);
  assert.equal(await valueFor({ type: 'choice', normalise: 'bytes' }, '', given, characters), 1);
  await assert.rejects(scoreOf({ type: 'choice' }, '', { ...given, expected: [' maybe'] }, characters));
});

test('perplexity is of the text after the prompt only; an empty answer scores nothing', async () => {
  const spec = { type: 'perplexity', limit: Math.E ** 2 };
  const one = await scoreOf(spec, 'xyz', { prompt: '!!!' }, characters);
  assert.ok(Math.abs(one.value! - 0.5) < 1e-9, one.detail!);
  assert.equal((await scoreOf(spec, '!!', { prompt: 'abc' }, characters)).value, 1);
  assert.equal((await scoreOf(spec, '', { prompt: 'abc' }, characters)).value, 0);

  const asked: string[] = [];
  const watched: Endpoint = {
    post: (path, body, signal) => {
      asked.push((body as { model: string }).model);
      return characters.post(path, body, signal);
    },
  };
  await scoreOf({ ...spec, model: 'other' }, 'xyz', {}, watched);
  assert.deepEqual(asked, ['other']);
});

test('embeddings: the nearest of the right answers', async () => {
  const vectors: Endpoint = {
    post: (_path, body) => {
      const { input } = body as { input: string[] };
      const data = input.map((text, index) => ({
        index,
        embedding: text === 'far' ? [0, 1] : [1, text.length / 100],
      }));
      return Promise.resolve({ body: { data: data.reverse() }, latencyMs: 1, isKept: false });
    },
  };
  const value = await valueFor({ type: 'embedding' }, 'near', { expected: ['far', 'neat'] }, vectors);
  assert.ok(Math.abs(value! - 1) < 1e-9);
  assert.ok((await valueFor({ type: 'embedding' }, 'near', { expected: ['far'] }, vectors))! < 0.1);
});

test('functions of one’s own, in JavaScript and TypeScript; what they throw is a score that is unknown', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'sluice-custom-'));
  try {
    writeFileSync(
      join(directory, 'own.mjs'),
      'export default ({ answer, expected }) => answer.length / expected[0].length;',
    );
    writeFileSync(
      join(directory, 'typed.ts'),
      `interface Given { answer: string }
       export const polite = ({ answer }: Given): { score: boolean; detail: string } => ({ score: /please/.test(answer), detail: 'manners' });
       export function fails(): number { throw new Error('broken'); }
       export const waits = (): Promise<number> => new Promise(() => {});`,
    );
    const own = { type: 'custom', module: './own.mjs' };
    assert.equal(await valueFor(own, 'ab', { expected: ['abcd'] }, silent, directory), 0.5);
    const typed = { type: 'custom', module: './typed.ts', export: 'polite' };
    assert.deepEqual(await scoreOf(typed, 'please', {}, silent, directory), { value: 1, detail: 'manners' });
    const broken = await scoreOf({ ...typed, export: 'fails' }, '', {}, silent, directory);
    assert.deepEqual(broken, { value: null, detail: './typed.ts: broken' });
    const waits = { ...typed, export: 'waits', timeoutMs: 20 };
    assert.equal(
      (await scoreOf(waits, '', {}, silent, directory)).detail,
      './typed.ts: no result within 20 ms',
    );
    await assert.rejects(
      scoreOf({ ...typed, export: 'absent' }, '', {}, silent, directory),
      /no function absent/,
    );
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
});

test('atLeast makes a graded score pass or fail', async () => {
  const expected = ['the cat sat on the mat'];
  assert.equal(await valueFor({ type: 'f1', atLeast: 0.8 }, 'a cat on a mat', { expected }), 1);
  const fallen = await scoreOf({ type: 'f1', atLeast: 0.9 }, 'a cat on a mat', { expected });
  assert.deepEqual(fallen, { value: 0, detail: '0.86 of 0.9' });
});
