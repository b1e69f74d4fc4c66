import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ProbeHead, type ProbeHeader } from './head.js';

const header: ProbeHeader = {
  model: 'some',
  layers: [1, 2],
  stateSize: 1,
  features: 4,
  views: 1,
  slope: 2,
  wordsSlope: 0.5,
  intercept: -1,
  threshold: 0.5,
};
const numbers = {
  project: [1, 0.5, -1, 2, 0.3, -0.7, 2, 0], // by feature: of the state after layer 1, and 2
  projectBias: [0.1, -0.2, 0.3, 0],
  attend: [3, -1, 0.2, -2],
  attendBias: [0.5],
  output: [1, -1, 0.4, 3, 0.5, 2, -1.5, 0.7], // of the mean, then of the view
  outputBias: [0.25],
};

function fileOf(given: ProbeHeader, weights: number[]): Buffer {
  const json = Buffer.from(JSON.stringify(given));
  const length = Buffer.alloc(4);
  length.writeUInt32LE(json.length);
  return Buffer.concat([Buffer.from('SLP1'), length, json, Buffer.from(Float32Array.from(weights).buffer)]);
}

const file = fileOf(header, Object.values(numbers).flat());
const gelu = (x: number) => 0.5 * x * (1 + Math.tanh(0.7978845608028654 * (x + 0.044715 * x * x * x)));

test('the score is that of the mean and of what is attended to', () => {
  const tokens = [
    [1, 2],
    [-1, 0.5],
    [0.25, -2],
  ];
  const pairs = [0, 1, 2, 3];
  const { project, projectBias, attend, attendBias, output, outputBias } = numbers;
  const product = (a: number[], b: number[]) => a.reduce((sum, value, index) => sum + value * b[index]!, 0);
  const features = tokens.map((token) =>
    pairs.map((at) => gelu(product(project.slice(2 * at, 2 * at + 2), token) + projectBias[at]!)),
  );
  const shares = features.map((each) => Math.exp(product(attend, each) + attendBias[0]!));
  const total = shares.reduce((sum, share) => sum + share);
  const mean = pairs.map((at) => features.reduce((sum, each) => sum + each[at]! / 3, 0));
  const seen = pairs.map((at) =>
    features.reduce((sum, each, n) => sum + (each[at]! * shares[n]!) / total, 0),
  );
  const score = product(output, [...mean, ...seen]) + outputBias[0]!;
  const head = ProbeHead.parse(file);
  const found = head.score(Float32Array.from(tokens.flat()));
  assert.ok(Math.abs(found - score) < 1e-6, `${found} and ${score}`);
  const expected = 1 / (1 + Math.exp(-(2 * score + 0.5 * Math.log(0.2 / 0.8) - 1)));
  assert.ok(Math.abs(head.probability(found, 0.2) - expected) < 1e-6);
  assert.ok(head.probability(found, 0) > 0);
});

test('tokens that are all the same weigh what one of them does', () => {
  const head = ProbeHead.parse(file);
  const one = head.score(Float32Array.of(1, 2));
  assert.ok(Math.abs(head.score(Float32Array.of(1, 2, 1, 2, 1, 2)) - one) < 1e-9);
});

test('a file that is no probe, or has too few or too many weights, is refused', () => {
  assert.throws(() => ProbeHead.parse(Buffer.from('SLG1....')), /no probe/);
  assert.throws(() => ProbeHead.parse(file.subarray(0, -4)), /bytes/);
  assert.throws(() => ProbeHead.parse(Buffer.concat([file, Buffer.alloc(4)])), /bytes/);
});
