import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Backoff } from './backoff.js';
import { applyEdits, editsOf, mask, spanBefore } from './edits.js';
import { TokenQueue } from './output/token-queue.js';
import type { Hit } from './types.js';
import { Vault } from './vault/vault.js';
import { Vaults } from './vault/vaults.js';

const hit = (start: number, end: number, mode: Hit['mode'], category = 'x'): Hit => {
  return { start, end, mode, category, score: 1, isValidated: false, detail: null, text: 0, guard: 'g' };
};
const noHide = (value: string) => value;

test('the stricter mode has its span, and the other what is left of its own', () => {
  const edits = editsOf('0123456789', [hit(0, 6, 'mask'), hit(4, 8, 'redact')], noHide);
  assert.equal(applyEdits('0123456789', edits), '****[REDACTED_X]89');
});

test('every character that a hit cuts is gone, and every other is still there', () => {
  const hits = fc.array(
    fc.tuple(fc.nat(30), fc.integer({ min: 1, max: 8 }), fc.constantFrom('redact' as const, 'warn' as const)),
    { maxLength: 8 },
  );
  fc.assert(
    fc.property(hits, (given) => {
      const text = Array.from({ length: 40 }, (_, index) => String.fromCharCode(0x4e00 + index)).join('');
      const all = given.map(([start, length, mode]) => hit(start, start + length, mode));
      const left = applyEdits(text, editsOf(text, all, noHide));
      for (const [index, character] of [...text].entries()) {
        const isCut = all.some(({ start, end, mode }) => mode === 'redact' && start <= index && index < end);
        assert.equal(left.includes(character), !isCut);
      }
    }),
  );
});

test('spans of an edited text are found again in the text before', () => {
  const edits = [{ start: 5, end: 8, replacement: '[REDACTED_X]' }];
  assert.deepEqual(spanBefore(edits, { start: 0, end: 5 }), { start: 0, end: 5 });
  assert.deepEqual(spanBefore(edits, { start: 7, end: 9 }), { start: 5, end: 8 });
  assert.deepEqual(spanBefore(edits, { start: 17, end: 19 }), { start: 8, end: 10 });
});

test('a mask shows the end of long values only', () => {
  assert.equal(mask('4111-1111-1111-1234'), '****-****-****-1234');
  assert.equal(mask('secret'), '******');
});

test('equal values have equal placeholders, and a vault that is gone has none', () => {
  const vault = new Vault();
  assert.equal(vault.hide('a@b.c', 'email'), '[EMAIL_1]');
  assert.equal(vault.hide('d@e.f', 'email'), '[EMAIL_2]');
  assert.equal(vault.hide('a@b.c', 'email'), '[EMAIL_1]');
  assert.equal(vault.reveal('[EMAIL_2]'), 'd@e.f');
  assert.equal(vault.reveal('[EMAIL_3]'), undefined);
  vault.destroy();
  assert.equal(vault.reveal('[EMAIL_2]'), undefined);
});

test("a session's vault outlives its requests, until it is idle; another tenant's is another", () => {
  let nowMs = 0;
  const vaults = new Vaults({ idleMs: 100, maxVaults: 2 }, () => nowMs);
  const first = vaults.lease('t', 's');
  first.vault.hide('v', 'x');
  first.release();
  assert.equal(vaults.lease('other', 's').vault.reveal('[X_1]'), undefined);
  nowMs = 90;
  const second = vaults.lease('t', 's');
  assert.equal(second.vault.reveal('[X_1]'), 'v');
  second.release();
  nowMs = 200;
  vaults.expire();
  assert.equal(vaults.has('t', 's'), false);
});

test('waits double with each block beyond the limit, up to the window, and end', () => {
  const backoff = new Backoff({ maxBlocks: 2, windowMs: 5_000 });
  const waits: number[] = [];
  for (let i = 0; i < 6; i += 1) {
    backoff.blocked('u', 0);
    waits.push(backoff.waitMs('u', 0));
  }
  assert.deepEqual(waits, [0, 0, 1_000, 2_000, 4_000, 5_000]);
  assert.equal(backoff.waitMs('v', 0), 0);
  assert.equal(backoff.waitMs('u', 5_000), 0);
});

test('a token comes out with the last of its text, or not at all', () => {
  const queue = new TokenQueue();
  const piece = (text: string) => ({ token: -1, piece: Buffer.from(text), logprob: -1, top: [] });
  queue.push({ tokens: [-1, -1, -1], logprobs: [piece('ab'), piece('cd'), piece('ef')] });
  queue.passed('abc', false);
  assert.equal(queue.take().logprobs!.length, 1);
  queue.passed('d', true);
  queue.passed('ef', false);
  const rest = queue.take().logprobs!;
  assert.deepEqual(
    rest.map((each) => Buffer.from(each.piece!).toString()),
    ['ef'],
  );
});
