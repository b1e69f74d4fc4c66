import assert from 'node:assert/strict';
import { test } from 'node:test';
import { judgeTopics } from './topic.js';

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
