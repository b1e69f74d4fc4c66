import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { GuardContext } from '../types.js';
import { Neighbours } from './neighbours.js';
import type { SimilarityOptions } from './options.js';
import { sentences, windows } from './parts.js';
import { prepare } from './tasks.js';

const never = new AbortController().signal;

/** Letters counted: near enough to a meaning to tell what is compared with what. */
async function embed(texts: readonly string[]): Promise<Float32Array[]> {
  return texts.map((text) => {
    const vector = new Float32Array(26);
    for (const letter of text.toLowerCase())
      if (letter >= 'a' && letter <= 'z') vector[letter.charCodeAt(0) - 97]! += 1;
    const length = Math.hypot(...vector);
    return vector.map((value) => value / (length || 1));
  });
}

async function find(options: SimilarityOptions, text: string, sources: string[] = []) {
  const look = await prepare(options, embed, never);
  const context: GuardContext = { requestId: 'r', tenant: 't', stage: 'input', sources };
  return (await look(text, context, never)).map(({ category, start, end }) => [
    category,
    text.slice(start, end),
  ]);
}

test('the nearest known text of each category, the nearest category first', async () => {
  const known = [
    { text: 'aaa', category: 'a' },
    { text: 'aab', category: 'a' },
    { text: 'bbb', category: 'b' },
  ];
  const neighbours = await Neighbours.of(known, embed, never);
  const nearest = neighbours.nearest((await embed(['abb']))[0]!);
  assert.deepEqual(
    nearest.map(({ category }) => category),
    ['b', 'a'],
  );
  assert.ok(Math.abs(nearest[0]!.cosine - 2 / Math.sqrt(5)) < 1e-6);
  assert.ok(Math.abs(nearest[1]!.cosine - 4 / 5) < 1e-6);
});

test('an attack that an operator has added is found wherever it stands in a long text', async () => {
  const options: SimilarityOptions = {
    task: 'attacks',
    attacks: { own: ['zzz qqq'] },
    minCosine: 0.9,
    when: 'always',
  };
  assert.deepEqual(await find(options, 'hello there'), []);
  const text = `${'e'.repeat(5_000)}${'zq'.repeat(500)}${'e'.repeat(5_000)}`;
  const [[category, part] = []] = await find(options, text);
  assert.equal(category, 'own');
  assert.match(part!, /(zq){200}/);
});

test('topics: a denied one, or none of those allowed', async () => {
  const topics = { pets: ['dogs and cats'], tax: ['taxes'] };
  const about = (policy: { allow?: string[]; deny?: string[] }, text: string) =>
    find({ task: 'topics', topics, allow: [], deny: [], minCosine: 0.95, when: 'always', ...policy }, text);
  assert.deepEqual(await about({ deny: ['pets'] }, 'cats and dogs'), [['pets', 'cats and dogs']]);
  assert.deepEqual(await about({ deny: ['pets'] }, 'taxes'), []);
  assert.deepEqual(await about({ allow: ['tax'] }, 'cats and dogs'), [['off_topic', 'cats and dogs']]);
  assert.deepEqual(await about({ allow: ['tax'] }, ' '), []);
});

test('sentences of an answer that no sentence of the sources is like', async () => {
  const grounding = { task: 'grounding', minCosine: 0.95, when: 'always' } as const;
  const sources = ['Ada had two cats. She lived in town.'];
  assert.deepEqual(await find(grounding, 'Two cats had Ada. Zebras jump quickly.', sources), [
    ['unsupported_claim', 'Zebras jump quickly.'],
  ]);
  assert.deepEqual(await find(grounding, 'Zebras jump quickly.'), [
    ['unsupported_claim', 'Zebras jump quickly.'],
  ]);
});

test('parts cover a text, and stand where they say', () => {
  const text = 'One two three. Four five six!  Oh. Seven eight nine';
  for (const part of sentences(text)) assert.equal(text.slice(part.start, part.end), part.text);
  assert.equal(sentences(text).length, 3);
  const long = 'x'.repeat(2_000);
  assert.equal(windows(long).at(-1)!.end, long.length);
});
