import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Random } from '../../test/sim/random.js';
import { StopMatcher, StopPatterns } from './stop.js';

/** What is sent for each piece, and the stop string found. */
function feed(stops: string[], pieces: string[]): { sent: string[]; stop: string | null } {
  const matcher = new StopMatcher(new StopPatterns(stops));
  const sent = [];
  for (const piece of pieces) {
    const { text, stop } = matcher.push(piece);
    sent.push(text);
    if (stop !== null) return { sent, stop };
  }
  sent.push(matcher.flush());
  return { sent, stop: null };
}

test('without stop strings everything passes', () => {
  assert.deepEqual(feed([], ['ab', 'c']), { sent: ['ab', 'c', ''], stop: null });
  assert.deepEqual(feed([''], ['ab']), { sent: ['ab', ''], stop: null });
});

test('a stop string over several pieces is cut off and never begun', () => {
  assert.deepEqual(feed(['STOP'], ['one S', 'T', 'OP two']), { sent: ['one ', '', ''], stop: 'STOP' });
});

test('a false beginning is sent as soon as it is known to be none', () => {
  assert.deepEqual(feed(['STOP'], ['S', 'TO', 'X', 'ST']), { sent: ['', '', 'STOX', '', 'ST'], stop: null });
});

test('a beginning inside a false beginning is found', () => {
  assert.deepEqual(feed(['aab'], ['a', 'a', 'a', 'b']), { sent: ['', '', 'a', ''], stop: 'aab' });
});

test('the stop string complete first wins; of two at once, the one that began first', () => {
  assert.deepEqual(feed(['bcd', 'c'], ['abcd']), { sent: ['ab'], stop: 'c' });
  assert.deepEqual(feed(['c', 'bc'], ['abc']), { sent: ['a'], stop: 'bc' });
});

test('the result does not depend on the cuts, for random texts', () => {
  const random = new Random(5);
  const word = (most: number) =>
    Array.from({ length: random.int(1, most) }, () => random.pick(['a', 'b', 'é'])).join('');
  for (let round = 0; round < 5_000; round++) {
    const stops = Array.from({ length: random.int(1, 3) }, () => word(4));
    const text = word(16);
    const pieces = text.split(new RegExp(`(?<=^.{${random.int(1, 4)}})|(?<=.{${random.int(3, 9)}})`));
    const { sent, stop } = feed(stops, pieces);
    assert.deepEqual(
      { text: sent.join(''), stop },
      plainly(text, stops),
      `${JSON.stringify(stops)} in ${pieces}`,
    );
  }
});

test('time is linear where a naive search would be quadratic', () => {
  const matcher = new StopMatcher(new StopPatterns([`${'a'.repeat(2_000)}b`]));
  let comparisons = 0;
  for (let i = 0; i < 20_000; i++) comparisons += matcher.push('a').text.length;
  assert.equal(comparisons, 18_000); // 2,000 characters stay held back
});

function plainly(text: string, stops: string[]): { text: string; stop: string | null } {
  for (let end = 1; end <= text.length; end++) {
    const found = stops.filter((stop) => text.endsWith(stop, end)).sort((a, b) => b.length - a.length)[0];
    if (found !== undefined) return { text: text.slice(0, end - found.length), stop: found };
  }
  return { text, stop: null };
}
