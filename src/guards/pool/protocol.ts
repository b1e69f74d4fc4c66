import type { GuardUse } from '../../config/index.js';
import type { StateModel } from '../detect/probe/reader.js';
import type { GuardContext, GuardText, Hit } from '../types.js';

/** A guard as a worker makes it. */
export interface DetectorSpec {
  use: GuardUse;
  modulePath?: string | undefined; // of a guard that isn't built in
  stateModel?: StateModel | null; // for guards that read a language model's states
}

export type DetectorSpecs = ReadonlyMap<number, DetectorSpec>;

export interface CheckTask {
  detectors: readonly number[]; // in this order
  texts: readonly GuardText[];
  context: GuardContext;
  /** False while the texts may go on. */
  isFinal: boolean;
}

export interface CheckResult {
  hits: Hit[];
  /** By text: before this all is decided. */
  decidedTo: number[];
  /** By detector that ran. */
  milliseconds: { detector: number; value: number }[];
}

/** What threads are made with. */
export interface ThreadSetup {
  specs: DetectorSpecs;
  /** Shared, by slot: the detector that runs now; −1 while the task waits. */
  progress: Int32Array;
}

/** What a thread is given. */
export interface ThreadTask extends CheckTask {
  slot: number; // where it says how far it is
}

/** What a process is told: first its detectors, then one task after the other. */
export type ToProcess = { kind: 'build'; specs: DetectorSpecs } | { kind: 'check'; task: CheckTask };

/** What a process tells: once that it is ready, then of each task what comes of it. */
export type FromProcess =
  | { kind: 'ready' }
  | { kind: 'running'; detector: number }
  | { kind: 'done'; result: CheckResult }
  | { kind: 'failed'; message: string };
