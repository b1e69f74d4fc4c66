import assert from 'node:assert/strict';
import test from 'node:test';
import type { TensorEntry } from '../../src/gguf/header.js';
import { TensorType } from '../../src/gguf/tensor-types.js';
import type { MatmulCase } from '../../src/native/types.js';
import { measure, workloadOf } from '../../src/repack/measure.js';
import { cpuAddon } from '../support/native.js';

const { q5_0: type } = TensorType;
const workload = { type, inputs: 640, outputs: 2048, copies: 48 };

function tensors(...shapes: [number, number][]): TensorEntry[] {
  return shapes.map((shape, i) => ({ name: `${i}`, shape, type, offset: 0, bytes: 0 }));
}

/** Speedups by tokens, on one thread; `shared` are those of one token on all threads, in turn. */
function verdict(alone: Record<number, number>, shared: number[] = []) {
  const calls: MatmulCase[] = [];
  const result = measure(workload, 2, (matmuls) => {
    calls.push(matmuls);
    return [matmuls.threads === 1 ? alone[matmuls.tokens]! : shared.shift()!, 1];
  });
  return { ...result, calls };
}

test('it pays where products gain together and none loses', () => {
  assert.equal(verdict({ 1: 1.3, 32: 1.6, 256: 1.7 }, [1.3, 1.25]).pays, true);
  assert.equal(verdict({ 1: 1, 32: 1.1, 256: 1.3 }, [1, 1]).pays, true);
});

test("it doesn't pay where the gain is small, or where one of the three loses", () => {
  assert.equal(verdict({ 1: 1.05, 32: 1.05, 256: 1.1 }).pays, false);
  assert.equal(verdict({ 1: 0.85, 32: 1.5, 256: 2 }).pays, false);
  assert.equal(verdict({ 1: 1.5, 32: 1.5, 256: 0.9 }).pays, false);
});

test('more threads are asked only where one thread gains, and may take it back', () => {
  assert.ok(verdict({ 1: 0.85, 32: 1.5, 256: 2 }).calls.every(({ threads }) => threads === 1));
  const bandwidthBound = verdict({ 1: 1.3, 32: 1.6, 256: 1.7 }, [0.8, 0.82]);
  assert.equal(bandwidthBound.pays, false);
  assert.equal(bandwidthBound.decode, 0.8);
});

test('measurements that disagree say nothing', () => {
  assert.equal(verdict({ 1: 1.3, 32: 1.6, 256: 1.7 }, [1.3, 0.4]).pays, null);
  assert.equal(verdict({ 1: 1.3, 32: 1.6, 256: 1.7 }, [1.6, 1.2]).pays, null);
});

test('types take turns in one call, and many tokens need fewer matrices', () => {
  const { calls } = verdict({ 1: 1.3, 32: 1.6, 256: 1.7 }, [1.3, 1.3]);
  assert.ok(calls.every(({ types }) => types.join() === 'q5_0,q8_0'));
  const copies = calls.map(({ tokens, copies }) => [tokens, copies]);
  assert.deepEqual(copies, [
    [1, 48],
    [32, 6],
    [256, 1],
    [1, 48],
    [1, 48],
  ]);
});

test('the shape that holds most weights is timed, as often as there are such weights', () => {
  const shapes = tensors([640, 256], [640, 2048], [640, 256], [640, 2048], [640, 256]);
  assert.deepEqual(workloadOf(type, shapes), { type, inputs: 640, outputs: 2048, copies: 2 });
});

test('large models are measured on a bounded share of their weights', () => {
  const { inputs, outputs, copies } = workloadOf(type, tensors(...Array(64).fill([8192, 28672])));
  assert.equal(inputs, 8192);
  assert.ok(inputs * outputs <= 2 ** 22 && inputs * outputs * copies <= 2 ** 26);
});

test('the addon times every type that rules are for', () => {
  const addon = cpuAddon();
  const times = addon.timeMatmuls({
    types: ['q4_0', 'q5_0', 'q8_0'],
    inputs: 64,
    outputs: 32,
    tokens: 3,
    copies: 2,
    threads: 1,
    rounds: 2,
  });
  assert.equal(times.length, 3);
  assert.ok([...times].every((ms) => ms > 0 && Number.isFinite(ms)));
});

test('the addon refuses what it cannot time', () => {
  const good = { types: ['q8_0'], inputs: 64, outputs: 32, tokens: 1, copies: 1, threads: 1, rounds: 1 };
  const refused = (change: Partial<MatmulCase>, error: typeof TypeError) =>
    assert.throws(() => cpuAddon().timeMatmuls({ ...good, ...change }), error);
  refused({ types: ['q9_9'] }, TypeError);
  refused({ types: ['f32'] }, TypeError);
  refused({ types: ['iq2_xxs'] }, TypeError); // needs an importance matrix
  refused({ types: [] }, RangeError);
  refused({ inputs: 33 }, RangeError);
  refused({ tokens: 513 }, RangeError);
  refused({ threads: 0 }, RangeError);
  refused({ inputs: 2 ** 20, outputs: 2 ** 20 }, RangeError);
});
