import assert from 'node:assert/strict';
import { test } from 'node:test';
import { topicsByKeywords } from './by-keywords.js';
import { judgeTopics, type Topic } from './topic.js';

const topics: Topic[] = [
  { name: 'tax', keywords: ['tax|taxes', 'income return'] },
  { name: 'pets', keywords: ['dog*', 'guinea_pig'] },
];
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
