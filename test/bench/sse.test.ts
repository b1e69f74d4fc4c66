import assert from 'node:assert/strict';
import test from 'node:test';
import { SseParser } from '../../bench/client/sse.js';

const stream = Buffer.from(
  ': ping\n\ndata: {"t":"é€😀"}\r\n\r\ndata:[1]\nevent: x\n\ndata: \n\ndata: [DONE]\n\n',
);
const expected = ['{"t":"é€😀"}', '[1]', '', '[DONE]'];

function parse(chunks: Buffer[]): string[] {
  const payloads: string[] = [];
  const parser = new SseParser((payload) => payloads.push(payload));
  for (const chunk of chunks) parser.push(chunk);
  return payloads;
}

test('payloads come out whole wherever the stream is cut in two', () => {
  for (let cut = 0; cut <= stream.length; cut++) {
    assert.deepEqual(parse([stream.subarray(0, cut), stream.subarray(cut)]), expected, `cut at ${cut}`);
  }
});

test('payloads come out whole from single bytes', () => {
  assert.deepEqual(parse(Array.from(stream, (byte) => Buffer.of(byte))), expected);
});

test('a line without end is refused before it fills the memory', () => {
  const parser = new SseParser(() => {});
  const chunk = Buffer.alloc(2 ** 20, 'x');
  assert.throws(() => {
    for (let pushed = 0; pushed < 20; pushed++) parser.push(chunk);
  }, /too long/);
});
