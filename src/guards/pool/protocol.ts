import type { GuardUse } from '../../config/index.js';
import type { GuardContext, GuardText, Hit } from '../types.js';

/** A guard as a worker builds it. */
export interface DetectorSpec {
  use: GuardUse;
  modulePath: string | null; // of a guard that isn't built in
}

export interface CheckTask {
  detectors: readonly number[]; // in this order
  texts: readonly GuardText[];
  context: GuardContext;
  /** False while the texts may go on. */
  isFinal: boolean;
  /** [1], shared: the detector that runs now; −1 while the task waits. */
  progress: Int32Array;
}

export interface CheckResult {
  hits: Hit[];
  /** By text: before this all is decided. */
  decidedTo: number[];
  /** By detector that ran. */
  milliseconds: { detector: number; value: number }[];
}
