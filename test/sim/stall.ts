import { median, percentile } from '../../bench/statistics.js';
import type { Batch } from '../../src/native/types.js';
import { request, type TestCore, testCore } from './core.js';
import { Random } from './random.js';

/** What a machine takes for a step: so much at least, and so much for each row, for its context and for its logits. */
export interface Machine {
  baseMs: number;
  rowMs: number;
  windowMs: number; // of a prompt's row whose layers with a sliding window see all of it
  ownWindowMs: number; // of a decode's, which shares what it reads with no other
  contextMs: number; // of a row for each position before it
  outputMs: number;
  noise: number; // standard deviation of a step's time, as a share of it
}

/** Windowed layers of Gemma 3 look so far back. */
const WINDOW = 512;

export interface Stall {
  machine: Machine;
  streams: number;
  promptTokens: number;
  maxBatchTokens: number;
  seed: number;
}

export interface StallTimes {
  medianBeforeMs: number; // steps before the prompt arrived
  p99DuringMs: number; // from its arrival to its first token
  ttftMs: number;
  ttftAloneMs: number; // of another one on the idle engine
}

const STREAM_TOKENS = 64;
const STEPS_BEFORE = 50;

/** What a long prompt does to those who stream, and they to it, in a time of its own. */
export function simulateStall({ machine, streams, promptTokens, maxBatchTokens, seed }: Stall): StallTimes {
  const random = new Random(seed);
  const maxContext = 2 * promptTokens;
  const pageSize = 16;
  const maxPagesPerSequence = maxContext / pageSize;
  const sim = testCore(
    {
      maxSequences: streams + 1,
      maxOutputs: streams + 9,
      pageSize,
      pages: (streams + 3) * maxPagesPerSequence,
      maxPagesPerSequence,
      maxBatchTokens,
      maxContext,
      targetStepMs: 50,
    },
    (_call, _count, clock, batch) => {
      if (batch) clock.nowMs += stepMs(machine, batch) * (1 + machine.noise * gaussian(random));
    },
  );
  const prompt = (length: number) => Int32Array.from({ length }, () => random.int(1, 9));
  const ask = (length: number, maxTokens: number) => {
    const wanted = request({ prompt: prompt(length), maxTokens });
    sim.core.submit(wanted);
    return wanted.id;
  };
  const stepsUntil = (isOver: () => boolean) => {
    const times: number[] = [];
    while (!isOver()) times.push(step(sim));
    return times;
  };
  const alone = ask(promptTokens, 8);
  const ttftAloneMs = sum(stepsUntil(() => hasText(sim, alone)));
  sim.finish();
  const ids = Array.from({ length: streams }, () => ask(STREAM_TOKENS, promptTokens));
  stepsUntil(() => ids.every((id) => hasText(sim, id)));
  const before = Array.from({ length: STEPS_BEFORE }, () => step(sim));
  const disturbing = ask(promptTokens, 8);
  const during = stepsUntil(() => hasText(sim, disturbing));
  return {
    medianBeforeMs: median(before),
    p99DuringMs: percentile(Float64Array.from(during).sort(), 0.99),
    ttftMs: sum(during),
    ttftAloneMs,
  };
}

function stepMs(
  { baseMs, rowMs, windowMs, ownWindowMs, contextMs, outputMs }: Machine,
  batch: Batch,
): number {
  let ms = baseMs + rowMs * batch.count;
  for (let row = 0; row < batch.count; row++) {
    const position = batch.positions[row]!;
    const isDecode = batch.outputs[row]! > 0;
    ms += (isDecode ? ownWindowMs : windowMs) * Math.min(1, position / WINDOW) + contextMs * position;
    if (isDecode) ms += outputMs;
  }
  return ms;
}

function step({ core, clock }: TestCore): number {
  const startMs = clock.nowMs;
  core.step();
  return clock.nowMs - startMs;
}

function hasText({ events }: TestCore, id: string): boolean {
  return events.some((event) => event.id === id && event.type === 'delta');
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

/** Of the twelve that the central limit theorem needs. */
function gaussian(random: Random): number {
  let total = -6;
  for (let i = 0; i < 12; i++) total += random.unit();
  return total;
}
