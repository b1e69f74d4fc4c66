import type { Capability } from '../config/index.js';
import type { TokenBound } from '../cost/tab.js';
import type { GenerationSink, Usage, ValidatedRequest } from '../generation/types.js';
import type { VocabTable } from '../native/types.js';
import type { Trace } from '../telemetry/trace.js';
import type { ModelCard } from './model-card.js';
import type { ModelTools } from './model-tools.js';

/** Something that answers requests: a model loaded here, workers over Redis, or an endpoint elsewhere. */
export interface Target {
  readonly kind: 'local' | 'upstream' | 'remote';
  readonly revision: string; // another one where the same request may be answered differently
  readonly vocab: VocabTable | null; // null: its tokens bring their bytes
  readonly capabilities: ReadonlySet<Capability>;
  readonly contextTokens: number | null; // prompt and answer together; null: not known
  readonly bytes: number; // of memory that closing it frees
  readonly maxRunning: number; // requests that it takes at once
  readonly guests?: number; // that it takes beyond those, of who has few there; 0 where it isn't said
  readonly tools: ModelTools | null; // null: it only answers
  readonly card: ModelCard | null; // null: not known
  /**
   * Answers, or rejects with a SluiceError. An abort ends the work; choices then end with 'cancelled'. Emits a `start`
   * without route and quota. A target that can count before it computes anything tells `onCounted` what the answer takes at
   * most, and goes no further before that has been reserved, or where it throws or rejects.
   */
  answer(
    request: ValidatedRequest,
    sink: GenerationSink,
    signal: AbortSignal,
    onCounted: (bound: TokenBound) => void | Promise<void>,
    trace: Trace,
  ): Promise<Usage>;
  /** False while it is known not to answer. */
  alive(): boolean;
  /** Does something small once, so that the first client doesn't wait for what happens on first use only. */
  warmUp(): Promise<void>;
  /** Asks whether it would answer; null: alive() says all there is to know. */
  probe: ((signal: AbortSignal) => Promise<boolean>) | null;
  close(): Promise<void>;
}
