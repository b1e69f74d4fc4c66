import { setImmediate as nextTurn } from 'node:timers/promises';
import { z } from 'zod';
import type { GuardUse } from '../../src/config/index.js';
import type { Detector } from '../../src/guards/detector.js';
import { createDetector } from '../../src/guards/pool/create-detector.js';
import { hostileText } from '../guards/hostile-texts.js';
import { seededRandom } from '../workload/random.js';
import { atMost, figure, type Outcome, type Progress } from './outcome.js';

export const guardsHostileOptionsSchema = z.object({
  strings: z.coerce.number().int().min(1).max(10_000_000),
  characters: z.coerce.number().int().min(1).max(1_000_000),
  seed: z.coerce.number().int(),
});

const BOUND_MS = 20;
/** Compiling and collecting come and go; what a text costs, it costs each time. */
const ATTEMPTS = 5;
const WARM_UP_STRINGS = 50; // what isn't compiled yet takes several times as long
const REPORT_EVERY = 1_000;

const guards: Record<string, Record<string, unknown>> = {
  injection: {},
  pii: {},
  secrets: {},
  moderation: {},
  topics: { topics: { weather: ['rain', 'sunny intervals', 'forecast'] }, deny: ['weather'] },
  keywords: { words: { names: ['bluebird', 'you are', '忽略'] } },
  patterns: { patterns: { order: '(?:[A-Z]{2}-?)+\\d+(?:-\\d+)*' } },
};

interface Worst {
  milliseconds: number;
  text: string;
}

/** Seeded texts that are made to keep detectors busy, through each of the guards that are built in; of each the longest time. */
export async function guardsHostile(
  { strings, characters, seed }: z.output<typeof guardsHostileOptionsSchema>,
  progress: Progress,
): Promise<Outcome> {
  const detectors = await Promise.all(
    Object.entries(guards).map(async ([guard, options]) => ({
      guard,
      detector: await createDetector({ use: useOf(guard, options) }),
    })),
  );
  const nextText = textsOf(seed, characters);
  for (let index = 0; index < WARM_UP_STRINGS; index += 1) {
    const text = nextText();
    for (const { detector } of detectors) await find(detector, text);
  }
  const worst = new Map<string, Worst>();
  for (let index = 0; index < strings; index += 1) {
    if (index % REPORT_EVERY === 0) progress(`${index} of ${strings} strings: ${summary(worst)}`);
    await nextTurn(); // signals come between turns of the event loop
    const text = nextText();
    for (const { guard, detector } of detectors) {
      const known = worst.get(guard)?.milliseconds ?? 0;
      const milliseconds = await cpuMilliseconds(detector, text, known);
      if (milliseconds > known) worst.set(guard, { milliseconds, text: text.slice(0, 60) });
    }
  }
  for (const [guard, { text }] of worst) progress(`${guard}: ${JSON.stringify(text)}…`);
  const figures = [...worst].map(([guard, { milliseconds }]) =>
    figure(`${guard}: longest time of a string, CPU`, milliseconds, 'ms', atMost(BOUND_MS)),
  );
  return {
    scenario: 'guards-hostile',
    options: { strings, characters, seed },
    runs: [],
    comparisons: [],
    figures,
  };
}

function textsOf(seed: number, characters: number): () => string {
  const random = seededRandom(seed);
  return () => hostileText(random, Math.ceil(characters * random()));
}

async function find(detector: Detector, text: string): Promise<void> {
  await detector.find([{ text, origin: 'user' }], { requestId: 'bench', tenant: 'bench', stage: 'input' });
}

/** Asked again where it is more than what is known: the least counts. */
async function cpuMilliseconds(detector: Detector, text: string, known: number): Promise<number> {
  let least = Number.POSITIVE_INFINITY;
  for (let attempt = 0; attempt < ATTEMPTS && least > known; attempt += 1) {
    const before = process.cpuUsage();
    await find(detector, text);
    const { user, system } = process.cpuUsage(before);
    least = Math.min(least, (user + system) / 1000);
  }
  return least;
}

function useOf(guard: string, options: Record<string, unknown>): GuardUse {
  return { guard, mode: 'block', modes: {}, onFailure: 'block', holdsSentences: false, options };
}

function summary(worst: ReadonlyMap<string, Worst>): string {
  return [...worst].map(([guard, { milliseconds }]) => `${guard} ${milliseconds.toFixed(1)} ms`).join(', ');
}
