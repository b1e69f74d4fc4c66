import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { WorkerState } from '../roster/roster.js';
import { PrefixDigest } from './digest.js';
import { OwnWork } from './own-work.js';
import { type Placeable, place } from './placement.js';
import { prefixNames } from './prefix.js';

const text = (prompt: string, tenant = 'a') =>
  prefixNames({
    tenant,
    prefixId: null,
    input: { kind: 'text', prompts: [prompt], echo: false, promptLogprobs: -1 },
  });

function worker(id: string, known: number[], overrides: Partial<WorkerState> = {}): Placeable {
  const state: WorkerState = {
    id,
    revision: 'r',
    maxSequences: 4,
    running: 0,
    runningFor: {},
    pageUse: 0,
    serviceMs: 0,
    isDraining: false,
    prefixes: new Uint32Array(),
    ...overrides,
  };
  return { state, prefixes: new Set(known), own: new OwnWork().at(id) };
}

const system = 'You are a patient assistant who answers in one sentence. '.repeat(20);

test('prompts share the names of the text that they share, within a tenant', () => {
  const [first, second, other] = [text(`${system}one`), text(`${system}two`), text(`${system}one`, 'b')];
  const shared = Math.floor(system.length / 128);
  assert.deepEqual(first.slice(0, shared), second.slice(0, shared));
  assert.equal(new Set([...first, ...other]).size, first.length + other.length);
  assert.deepEqual(text('short'), []);
});

test('chat messages and tools are part of the prefix', () => {
  const chat = (content: string, options = {}) =>
    prefixNames({
      tenant: 'a',
      prefixId: null,
      input: { kind: 'chat', messages: [{ role: 'system', content }], options },
    });
  assert.deepEqual(chat(system), chat(system));
  assert.notDeepEqual(chat(system)[0], chat(system, { tools: [{ type: 'function' }] })[0]);
});

test('the longest prefix wins, unless its worker is full or goes', () => {
  const names = text(system.repeat(2));
  const short = worker('short', names.slice(0, 3));
  const long = worker('long', names);
  assert.equal(place(names, [short, long, worker('none', [])], 'me'), 'long');
  assert.equal(place(names, [short, worker('long', names, { running: 4 })], 'me'), 'short');
  assert.equal(place(names, [short, worker('long', names, { isDraining: true })], 'me'), 'short');
  assert.equal(place(text('something else entirely '.repeat(20)), [short, long], 'me'), null);
});

test("a gateway's own requests count as it knows them, whatever the heartbeat said of them", () => {
  const names = text(system);
  const stale = { running: 4, runningFor: { me: 2, other: 2 } };
  const own = new OwnWork();
  const at = (id: string) => ({ ...worker(id, names, stale), own: own.at(id) });
  assert.equal(place(names, [at('w')], 'me'), 'w', 'both of mine have ended since');
  assert.equal(place(names, [at('w')], 'other but unheard of'), null);
  const request = { sequences: 2, names: [], worker: null };
  own.move(request, 'w');
  assert.equal(place(names, [at('w')], 'me'), null, 'two more have been sent since');
  own.move(request, 'elsewhere');
  assert.equal(place(names, [at('w')], 'me'), 'w');
});

test('what a gateway has sent somewhere is held there, before and after the heartbeat that may not say so yet', () => {
  const names = text(system);
  const own = new OwnWork();
  const at = (id: string) => ({ ...worker(id, []), own: own.at(id) });
  const request = { sequences: 1, names, worker: null };
  const placed = () => place(names, [at('a'), at('b')], 'me');
  own.move(request, 'b');
  own.move(request, null);
  assert.equal(placed(), 'b');
  own.looked(new Set(['a', 'b']));
  assert.equal(placed(), 'b');
  own.looked(new Set(['a', 'b']));
  assert.equal(placed(), null, 'by now the heartbeat must have said it');
});

test('a digest forgets what was unused longest', () => {
  const digest = new PrefixDigest(3);
  digest.add([1, 2, 3]);
  digest.add([1]);
  digest.add([4]);
  assert.deepEqual([...digest.names()].sort(), [1, 3, 4]);
});
