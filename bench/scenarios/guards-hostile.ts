import { setImmediate as nextTurn } from 'node:timers/promises';
import { z } from 'zod';
import type { Detector } from '../../src/guards/detector.js';
import { findIn, openGuard } from '../guards/bare-guard.js';
import { hostileText } from '../guards/hostile-texts.js';
import { seededRandom } from '../workload/random.js';
import { atMost, figure, type Outcome, type Progress } from './outcome.js';

export const guardsHostileOptionsSchema = z.object({
  strings: z.coerce.number().int().min(1).max(10_000_000),
  characters: z.coerce.number().int().min(1).max(1_000_000),
  seed: z.coerce.number().int(),
});

const BOUND_MS = 20;
/** Compiling, collecting and other work on the machine come and go; what a text costs, it costs each time. */
const ATTEMPTS = 5;
/** Of each guard, asked once more at the end: what slows a machine down may last longer than some attempts. */
const WORST_TEXTS = 100;
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

interface Timed {
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
      detector: await openGuard(guard, options),
    })),
  );
  const nextText = textsOf(seed, characters);
  for (let index = 0; index < WARM_UP_STRINGS; index += 1) {
    const text = nextText();
    for (const { detector } of detectors) await findIn(detector, text);
  }
  const worst = new Map(detectors.map(({ guard }) => [guard, new WorstTexts()]));
  for (let index = 0; index < strings; index += 1) {
    if (index % REPORT_EVERY === 0) progress(`${index} of ${strings} strings: ${summary(worst)}`);
    await nextTurn(); // signals come between turns of the event loop
    const text = nextText();
    for (const { guard, detector } of detectors) {
      const texts = worst.get(guard)!;
      texts.add({ milliseconds: await cpuMilliseconds(detector, text, texts.least), text });
    }
  }
  for (const { guard, detector } of detectors) {
    const texts = worst.get(guard)!;
    await texts.askAgain((text) => cpuMilliseconds(detector, text));
    progress(`${guard}: ${JSON.stringify(texts.worst.text.slice(0, 60))}…`);
  }
  const figures = [...worst].map(([guard, texts]) =>
    figure(`${guard}: longest time of a string, CPU`, texts.worst.milliseconds, 'ms', atMost(BOUND_MS)),
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

/** The texts that took longest. */
class WorstTexts {
  #texts: Timed[] = [];

  get worst(): Timed {
    return this.#texts[0] ?? { milliseconds: 0, text: '' };
  }

  /** What others have to take to be among them. */
  get least(): number {
    return this.#texts[WORST_TEXTS - 1]?.milliseconds ?? 0;
  }

  add(timed: Timed): void {
    if (timed.milliseconds <= this.least) return;
    this.#texts = [...this.#texts, timed].sort(longestFirst).slice(0, WORST_TEXTS);
  }

  /** The lesser of both times counts; whatever isn't asked took less than the least of them did at first, which therefore stays. */
  async askAgain(measure: (text: string) => Promise<number>): Promise<void> {
    const asked = this.#texts.length < WORST_TEXTS ? this.#texts : this.#texts.slice(0, -1);
    for (const timed of asked) timed.milliseconds = Math.min(timed.milliseconds, await measure(timed.text));
    this.#texts.sort(longestFirst);
  }
}

const longestFirst = (a: Timed, b: Timed) => b.milliseconds - a.milliseconds;

/** The least of some attempts, no more than it takes to be as little as `enough`. */
async function cpuMilliseconds(detector: Detector, text: string, enough = 0): Promise<number> {
  let least = Number.POSITIVE_INFINITY;
  for (let attempt = 0; attempt < ATTEMPTS && least > enough; attempt += 1) {
    const before = process.cpuUsage();
    await findIn(detector, text);
    const { user, system } = process.cpuUsage(before);
    least = Math.min(least, (user + system) / 1000);
  }
  return least;
}

function summary(worst: ReadonlyMap<string, WorstTexts>): string {
  return [...worst].map(([guard, texts]) => `${guard} ${texts.worst.milliseconds.toFixed(1)} ms`).join(', ');
}
