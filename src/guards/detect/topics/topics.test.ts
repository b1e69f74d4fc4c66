import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Neighbours } from '../embedding/neighbours.js';
import { topicsByKeywords } from './by-keywords.js';
import { topicsByMeaning } from './by-meaning.js';
import { judgeTopics, type Topic } from './topic.js';

const topics: Topic[] = [
  { name: 'tax', keywords: ['tax|taxes', 'income return'], examples: ['taxes'] },
  { name: 'pets', keywords: ['dog*', 'guinea_pig'], examples: ['dogs and cats'] },
];
/** Letters counted: near enough to a meaning to tell what is compared with what. */
const embed = async (texts: string[]) =>
  texts.map((text) => {
    const vector = new Float32Array(26);
    for (const letter of text.toLowerCase())
      if (letter >= 'a' && letter <= 'z') vector[letter.charCodeAt(0) - 97]! += 1;
    return vector;
  });

test('topics by their words, in any disguise', () => {
  const find = (text: string) =>
    topicsByKeywords(topics)
      .find(text)
      .map(({ category, start, end }) => [category, text.slice(start, end)]);
  assert.deepEqual(find('My Dogs file no TAXES'), [
    ['pets', 'Dogs'],
    ['tax', 'TAXES'],
  ]);
  assert.deepEqual(find('a guinea\u200b pig'), [['pets', 'guinea\u200b pig']]);
  assert.deepEqual(find('syntax and taxis'), []);
});

test('topics by meaning: the nearest example of each', async () => {
  const score = await topicsByMeaning(topics, embed);
  const [first, second] = await score('cats and dogs');
  assert.equal(first!.category, 'pets');
  assert.ok(Math.abs(first!.score - 1) < 1e-6 && second!.score < 0.9);
});

test('a denied topic wins; where topics are allowed, one of them must be there', () => {
  const found = [
    { category: 'tax', score: 0.9 },
    { category: 'pets', score: 0.6 },
  ];
  assert.deepEqual(judgeTopics(found, { allow: ['tax'], deny: ['pets'] }, 0.5), {
    isAllowed: false,
    topic: 'pets',
  });
  assert.deepEqual(judgeTopics(found, { allow: ['tax'], deny: ['pets'] }, 0.7), {
    isAllowed: true,
    topic: null,
  });
  assert.deepEqual(judgeTopics(found, { allow: ['pets'], deny: [] }, 0.7), { isAllowed: false, topic: null });
  assert.deepEqual(judgeTopics([], { allow: [], deny: ['tax'] }, 0.5), { isAllowed: true, topic: null });
});

test("an operator's texts stand beside those known", async () => {
  const known = await Neighbours.of([{ text: 'aaa', category: 'a' }], embed);
  const more = await known.extended([{ text: 'bbb', category: 'b' }]);
  assert.deepEqual(
    (await known.nearest('bb')).map(({ category }) => category),
    ['a'],
  );
  assert.equal((await more.nearest('bb'))[0]!.category, 'b');
});
