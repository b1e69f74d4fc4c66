import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { EventParser } from './event-parser.js';

function parse(chunks: readonly Uint8Array[]): string[] {
  const events: string[] = [];
  const parser = new EventParser((data) => events.push(data));
  for (const chunk of chunks) parser.push(chunk);
  return events;
}

test('however the bytes are cut, the events are the same; line ends, comments and other fields are as they may be', () => {
  const event = fc.record({
    data: fc.string({ unit: 'grapheme' }).map((text) => text.replace(/[\r\n]/g, ' ')),
    comment: fc.boolean(),
    newline: fc.constantFrom('\n', '\r\n'),
    space: fc.constantFrom('', ' '),
  });
  fc.assert(
    fc.property(
      fc.array(event, { maxLength: 10 }),
      fc.array(fc.nat(40), { maxLength: 30 }),
      (events, cuts) => {
        const text = events
          .map(({ data, comment, newline, space }) => {
            // One space after the colon belongs to the form; what follows is data.
            const shown = space === '' && data.startsWith(' ') ? ` ${data}` : `${space}${data}`;
            const before = comment ? `: ping${newline}${newline}event: x${newline}` : '';
            return `${before}data:${shown}${newline}${newline}`;
          })
          .join('');
        const bytes = Buffer.from(text);
        const chunks: Buffer[] = [];
        let at = 0;
        for (const cut of cuts) {
          chunks.push(bytes.subarray(at, at + cut));
          at += cut;
        }
        chunks.push(bytes.subarray(at));
        assert.deepEqual(
          parse(chunks),
          events.map(({ data }) => data),
        );
      },
    ),
  );
});

test('data of several lines is one event', () => {
  assert.deepEqual(parse([Buffer.from('data: {\ndata: "a": 1}\n\n')]), ['{\n"a": 1}']);
});

test('a line that doesn’t end is an error, not memory', () => {
  const parser = new EventParser(() => undefined);
  const block = Buffer.alloc(2 ** 20, 'x');
  assert.throws(() => {
    for (let index = 0; index < 5; index += 1) parser.push(block);
  }, RangeError);
});
