import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { WorkerState } from '../roster/roster.js';
import { PrefixDigest } from './digest.js';
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
    pageUse: 0,
    serviceMs: 0,
    isDraining: false,
    prefixes: new Uint32Array(),
    ...overrides,
  };
  return { state, prefixes: new Set(known), given: 0 };
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
  assert.equal(place(names, [short, long, worker('none', [])]), 'long');
  assert.equal(place(names, [short, worker('long', names, { running: 4 })]), 'short');
  assert.equal(place(names, [short, worker('long', names, { isDraining: true })]), 'short');
  assert.equal(place(names, [short, { ...long, given: 4 }]), 'short');
  assert.equal(place(text('something else entirely '.repeat(20)), [short, long]), null);
});

test('a digest forgets what was unused longest', () => {
  const digest = new PrefixDigest(3);
  digest.add([1, 2, 3]);
  digest.add([1]);
  digest.add([4]);
  assert.deepEqual([...digest.names()].sort(), [1, 3, 4]);
});
