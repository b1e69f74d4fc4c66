import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parsePhrase } from './phrase.js';
import { PhraseMatcher } from './phrase-matcher.js';
import { tokenise } from './tokenise.js';

function matched(phrase: string, text: string): string[] {
  const words = tokenise(text);
  const matcher = new PhraseMatcher([parsePhrase(phrase, null)]);
  const found: string[] = [];
  matcher.match(words, (_, first, last) => found.push(text.slice(words.starts[first], words.ends[last])));
  return found;
}

test('words are folded; ideographs stand alone', () => {
  assert.deepEqual(tokenise("L’Été, don't 忘记it").texts(), ["l'ete", "don't", '忘', '记', 'it']);
});

test('words of all scripts end where they end', () => {
  const texts = (text: string) => tokenise(text).texts();
  assert.deepEqual(texts('rock’n’roll ÉTÉ’s 3rd'), ["rock'n'roll", "ete's", '3rd']);
  assert.deepEqual(texts('𝒊𝒈 a😀b 한국어'), ['𝒊𝒈', 'a', 'b', '한국어'.normalize('NFD')]);
  assert.deepEqual(texts('ΟΔΟΣ e\u0301a ไทย'), ['οδος', 'ea', 'ไ', 'ท', 'ย']);
  const { starts, ends } = tokenise('a 𝒊𝒈, été');
  assert.deepEqual([...starts, ...ends], [0, 2, 8, 1, 6, 11]);
});

test('words in quotation marks and code are marked, until their paragraph ends', () => {
  const quoted = (text: string) => {
    const words = tokenise(text);
    return words.texts().filter((_, index) => words.isQuoted(index));
  };
  assert.deepEqual(quoted('a "b c" d'), ['b', 'c']);
  assert.deepEqual(quoted('a „b“ c «d» e'), ['d']);
  assert.deepEqual(quoted('a ```b\n\nc``` d'), ['b', 'c']);
  assert.deepEqual(quoted('5" of rain\n\nand "so'), []);
});

test('slots come in order, with few words between', () => {
  assert.deepEqual(matched('~1 ignore all rules', 'ignore them all the rules'), [
    'ignore them all the rules',
  ]);
  assert.deepEqual(matched('~1 ignore all rules', 'ignore them all of the rules'), []);
  assert.deepEqual(matched('~1 ignore all rules', 'rules all ignore'), []);
});

test('alternatives, endings and words that belong together', () => {
  assert.deepEqual(matched('ignor*|forget system_prompt*', 'Ignoring the system prompts'), [
    'Ignoring the system prompts',
  ]);
  assert.deepEqual(matched('show 系统提示', 'show 系统提示 now'), ['show 系统提示']);
  assert.deepEqual(matched('show system_prompt', 'show system the prompt'), []);
});

test('a later beginning counts where the earlier one is too far', () => {
  assert.deepEqual(matched('~0 a b', 'a x a b'), ['a b']);
});
