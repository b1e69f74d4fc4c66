import type { BlockReport } from '../../generation/report.js';
import type { GenerationSink } from '../../generation/types.js';
import type { VocabTable } from '../../native/types.js';
import type { Inspector } from '../inspector.js';
import type { Profile, ProfileGuard } from '../profile.js';
import type { Ask, GuardContext, GuardText, Hit } from '../types.js';
import { ChoiceGuard } from './choice-guard.js';

/** What every choice of an answer shares. */
export interface OutputScope {
  inspector: Inspector;
  ask: Ask;
  profile: Profile;
  context: GuardContext;
  /** False: the answer is looked at when it is whole. */
  streams: boolean;
  /** Log-probabilities were asked for by a guard only. */
  hidesLogprobs: boolean;
  sink: GenerationSink;
  /** Findings, once it is settled what happens to them. */
  onHits(hits: readonly Hit[], texts: readonly GuardText[]): void;
}

/** Passes an answer on as far as the guards allow. Events may come later than they arrive. */
export interface OutputStage {
  readonly sink: GenerationSink;
  /** Aborted where nothing that the model still writes would be given out. */
  readonly signal: AbortSignal;
  /** What has been blocked; null: nothing. */
  readonly blocked: BlockReport | null;
  /** Whether nothing of what has come so far is blocked, once that is known. */
  passed(): Promise<boolean>;
  /** Waits for the events that are still to come. Rejects where a guard has failed. */
  settled(): Promise<void>;
  /** No event comes after this. */
  discard(): void;
}

/** A guard that has to see a whole answer makes all wait for it. */
export function isStreamable(guards: readonly ProfileGuard[]): boolean {
  return guards.every(({ kind }) => kind.unit !== 'answer');
}

export function guardedAnswer(scope: OutputScope, choices: number): OutputStage {
  const guards = new Map<number, ChoiceGuard>();
  const stop = new AbortController();
  let vocab: VocabTable | null = null;
  let isDiscarded = false;
  let stopped = 0;
  const shared: OutputScope = {
    ...scope,
    sink: (event) => {
      if (!isDiscarded) scope.sink(event);
    },
  };
  const onStopped = () => {
    stopped += 1;
    if (stopped === choices) stop.abort();
  };
  const guardOf = (choice: number) => {
    const guard = guards.get(choice) ?? new ChoiceGuard(shared, choice, vocab, onStopped);
    guards.set(choice, guard);
    return guard;
  };
  return {
    sink: (event) => {
      if (event.type === 'start') vocab = event.vocab;
      if (event.type === 'delta') guardOf(event.choice).push(event);
      else if (event.type === 'done') guardOf(event.choice).finish(event);
      else shared.sink(event);
    },
    signal: stop.signal,
    get blocked() {
      return [...guards.values()].find(({ blocked }) => blocked !== null)?.blocked ?? null;
    },
    passed: async () => {
      const results = await Promise.allSettled([...guards.values()].map((guard) => guard.settled()));
      const isSure = results.every(({ status }) => status === 'fulfilled');
      return isSure && [...guards.values()].every(({ blocked }) => blocked === null);
    },
    settled: async () => {
      await Promise.all([...guards.values()].map((guard) => guard.settled()));
    },
    discard: () => {
      isDiscarded = true;
    },
  };
}
