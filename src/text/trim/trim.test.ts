import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { sentencesOf } from './draft.js';
import { type TokenCounter, type TrimMessage, trimMessages } from './trim.js';
import { type TrimStrategy, trimStrategies } from './types.js';

/** A word is a token, and a message has two more. */
const words = (text: string) => text.split(/\s+/).filter((word) => word !== '').length;
const counter: TokenCounter = {
  ofText: words,
  ofMessages: (messages) => messages.reduce((sum, { content }) => sum + 2 + words(content ?? ''), 0),
};

const message = (role: string, content: string | null, more: object = {}): TrimMessage => ({
  role,
  content,
  ...more,
});
const conversation = [
  message('system', 'Be brief.'),
  message('user', 'First question here.'),
  message('assistant', 'First answer here.'),
  message('user', 'Second question here.'),
  message('assistant', 'Second answer here.'),
  message('user', 'Third question here.'),
  message('assistant', 'Third answer here.'),
  message('user', 'One. Two. Three. Four. What is it?'),
];

function trim(messages: TrimMessage[], strategy: TrimStrategy, maxTokens: number) {
  return trimMessages(messages, { strategy, maxTokens }, counter);
}

const texts = (messages: readonly TrimMessage[]) => messages.map(({ content }) => content);

test('what fits is left alone', () => {
  assert.deepEqual(trim(conversation, 'drop_oldest', counter.ofMessages(conversation)), {
    messages: conversation,
    report: null,
  });
});

test('drop_oldest drops the oldest turns, keeps instructions and the question', () => {
  const { messages, report } = trim(conversation, 'drop_oldest', 33);
  assert.deepEqual(texts(messages), texts([conversation[0]!, ...conversation.slice(3)]));
  assert.deepEqual(report, {
    strategy: 'drop_oldest',
    maxTokens: 33,
    tokensBefore: 43,
    tokensAfter: 33,
    removedMessages: [1, 2],
    shortenedMessages: [],
  });
});

test('middle_out drops the middle turn first', () => {
  const { report } = trim(conversation, 'middle_out', 33);
  assert.deepEqual(report!.removedMessages, [3, 4]);
});

test('where all turns are gone the question loses sentences, and shows it', () => {
  const oldest = trim(conversation, 'drop_oldest', 11);
  assert.deepEqual(texts(oldest.messages), ['Be brief.', '[…] Four. What is it?']);
  assert.deepEqual(oldest.report!.shortenedMessages, [{ message: 7, sentences: 3 }]);
  const middle = trim(conversation, 'middle_out', 12);
  assert.deepEqual(texts(middle.messages), ['Be brief.', 'One. […] Four. What is it?']);
});

test('head_tail keeps every message, and cuts sentences around the end of the first quarter', () => {
  const prompt = [message('user', 'A one. B two. C three. D four. E five. F six. G seven. H eight.')];
  const { messages, report } = trim(prompt, 'head_tail', 13);
  assert.deepEqual(texts(messages), ['A one. […] E five. F six. G seven. H eight.']);
  assert.deepEqual(report!.shortenedMessages, [{ message: 0, sentences: 3 }]);
  const chat = trim(conversation, 'head_tail', 38);
  assert.equal(chat.messages.length, conversation.length);
  assert.ok(texts(chat.messages).includes('[…]'));
});

test('what has to stay and is too long is said with its length', () => {
  assert.throws(() => trim(conversation, 'drop_oldest', 6), {
    code: 'context_length_exceeded',
    param: 'optimize_prompt',
    message: /can't be cut to 6 tokens: what must stay has \d+/,
  });
  assert.throws(() => trim([message('user', 'one two three')], 'middle_out', 4), {
    code: 'context_length_exceeded',
  });
});

test('sentences of any language, joined, are the text', () => {
  assert.equal(sentencesOf('Eins. Zwei! Drei?').length, 3);
  assert.equal(sentencesOf('今日は。元気ですか？').length, 2);
  assert.equal(sentencesOf('a line\nanother\n').length, 2);
});

const sentence = fc
  .array(fc.constantFrom('one', 'two', 'three', 'four', 'five'), { minLength: 1, maxLength: 8 })
  .map((each) => `${each.join(' ')}. `);
const text = fc.array(sentence, { minLength: 1, maxLength: 6 }).map((each) => each.join(''));
const turn = fc
  .record({ ask: text, answer: text, hasTool: fc.boolean() })
  .map(({ ask, answer, hasTool }) => [
    message('user', ask),
    ...(hasTool
      ? [message('assistant', null, { tool_calls: [{}] }), message('tool', answer, { tool_call_id: 'a' })]
      : []),
    message('assistant', answer),
  ]);

test('property: it fits or is refused; instructions, the end of the question and tool calls stay whole', () => {
  fc.assert(
    fc.property(
      fc.option(text),
      fc.array(turn, { maxLength: 5 }),
      text,
      fc.constantFrom(...trimStrategies),
      fc.integer({ min: 1, max: 120 }),
      (instructions, turns, question, strategy, maxTokens) => {
        const system = instructions === null ? [] : [message('system', instructions)];
        const before = [...system, ...turns.flat(), message('user', question)];
        let trimmed: ReturnType<typeof trim>;
        try {
          trimmed = trim(before, strategy, maxTokens);
        } catch (error) {
          assert.equal((error as { code: string }).code, 'context_length_exceeded');
          assert.ok(words(sentencesOf(question).at(-1)!) + words(instructions ?? '') + 4 > maxTokens - 2);
          return;
        }
        const { messages, report } = trimmed;
        const tokens = counter.ofMessages(messages);
        assert.ok(tokens <= maxTokens);
        if (!report) return assert.deepEqual(messages, before);
        assert.equal(report.tokensAfter, tokens);
        const kept = before.filter((_, index) => !report.removedMessages.includes(index));
        assert.equal(messages.length, kept.length);
        for (const [index, each] of messages.entries()) {
          const original = kept[index]!;
          const isShortened = report.shortenedMessages.some(({ message: at }) => before[at] === original);
          if (!isShortened) assert.equal(each, original);
          else assertSubsequence(sentencesOf(each.content!.replace(/\[…\] ?/g, '')), original.content!);
        }
        if (instructions !== null) assert.equal(messages[0]!.content, instructions);
        assert.ok(messages.at(-1)!.content!.endsWith(sentencesOf(question).at(-1)!));
        const calls = messages.filter(({ tool_calls }) => tool_calls !== undefined).length;
        assert.equal(
          messages.filter(({ role }) => role === 'tool').length,
          calls,
          'calls and results go together',
        );
      },
    ),
    { numRuns: 500 },
  );
});

function assertSubsequence(sentences: readonly string[], original: string): void {
  const rest = sentencesOf(original).map((each) => each.trim());
  for (const each of sentences.map((one) => one.trim()).filter((one) => one !== '')) {
    const at = rest.indexOf(each);
    assert.ok(at >= 0, `${JSON.stringify(each)} is not there, or not in its place`);
    rest.splice(0, at + 1);
  }
}
