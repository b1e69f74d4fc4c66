import { setTimeout as delay } from 'node:timers/promises';
import { Random } from '../sim/random.js';
import { type Books, nothingDue } from './books.js';
import { dueOf, insistently, type Outcome, type Question, tallyOf } from './client.js';
import type { Fault, Scene } from './fault.js';
import { leftInRedis } from './leftovers.js';
import { isClean, noTally, sumOf, type Tally } from './tally.js';
import type { ClusterWorld } from './world.js';

export interface TrialOptions {
  seed: number;
  clients: number;
  latestMs: number; // after the first client may begin, that the fault happens; clients begin within half of that
  longestMs: number; // that what is paused, cut off or hung may be so
  patienceMs: number; // of clients
  /** Told of every answer that isn't as it should be. */
  onFault: (question: Question, outcome: Outcome) => void;
}

/** Long enough that gateways place those who share it by its prefix. */
const PREAMBLE = `${'All who ask share these words, and a worker that has read them may read on. '.repeat(4)}\n`;

/** Clients that stream while the fault happens. */
export async function trial(
  world: ClusterWorld,
  books: Books,
  fault: Fault,
  options: TrialOptions,
): Promise<Tally> {
  const random = new Random(options.seed);
  const scene: Scene = { world, random, longestMs: options.longestMs };
  const client = async (question: Question, startsAfterMs: number) => {
    await delay(startsAfterMs);
    const outcome = await insistently(scene, question, options.patienceMs);
    const tally = tallyOf(outcome, question);
    if (!isClean(tally)) options.onFault(question, outcome);
    return { tally, due: dueOf(outcome, question) };
  };
  const happen = async () => {
    await delay(fault.isAtOnce ? 0 : random.unit() * options.latestMs);
    await fault.happen(scene);
  };
  const all = Array.from({ length: options.clients }, (_, number) =>
    client(questionOf(fault, scene, `${options.seed} ${number}`), (random.unit() * options.latestMs) / 2),
  );
  const [results] = await Promise.all([Promise.all(all), happen()]);
  const left = await leftInRedis(world);
  const tally = results.reduce((sum, each) => sumOf(sum, each.tally), noTally);
  const due = results.reduce((sum, each) => sumOf(sum, each.due), nothingDue);
  const { budgetError, answeredTwice } = await books.settle(due);
  return {
    ...tally,
    budgetError,
    answeredTwice: tally.answeredTwice + answeredTwice,
    leftInRedis: left,
  };
}

function questionOf(fault: Fault, scene: Scene, name: string): Question {
  const line = `${name}; ${fault.name}`;
  const prompt = scene.random.chance(0.5) ? `${PREAMBLE}${line}` : line;
  return { prompt, line, readPauseMs: fault.readPauseMs?.(scene) ?? 0 };
}
