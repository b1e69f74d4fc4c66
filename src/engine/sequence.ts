import type { Drafter } from './drafter.js';
import type { RadixNode } from './radix-tree.js';

/**
 * waiting → prefill → decoding → finished. Preemption leads back to waiting; a waiting sequence may finish too
 * (cancelled, deadline).
 */
export type SequenceState = 'waiting' | 'prefill' | 'decoding' | 'finished';

export interface SequenceOptions {
  tenant: string;
  prompt: Int32Array;
  generated: readonly number[]; // before it came here
  maxNewTokens: number;
  priority: number; // 0 first
  deadlineMs: number | null; // epoch
  arrival: number; // order of arrival, unique per request
  enqueuedAtMs: number;
  cacheable: boolean; // reads and fills the prefix cache
  speculative: boolean; // tokens may be guessed
  promptOutputs: boolean; // logits of every prompt position are wanted
  sessionId: string | null;
}

/** One choice of one request, as the scheduler sees it. */
export class Sequence {
  readonly tenant: string;
  readonly priority: number;
  readonly deadlineMs: number | null;
  readonly arrival: number;
  readonly enqueuedAtMs: number;
  readonly cacheable: boolean;
  readonly speculative: boolean;
  readonly promptOutputs: boolean;
  readonly sessionId: string | null;
  readonly promptLength: number;
  readonly maxLength: number; // prompt + answer at most

  state: SequenceState = 'waiting';
  preempted = false; // waits because it lost its pages, and goes on before new ones
  everPreempted = false; // or has given its place up
  /** Prompt and generated tokens: the first `length` entries. */
  tokens: Int32Array;
  length: number;
  /** Tokens whose KV lies in the sequence's pages. */
  computed = 0;
  /** Prompt positions whose logits have been handed out; such a position may come from the cache next time. */
  promptOutputsDone = 0;
  /** Prompt tokens that the cache provided at the first admission. −1 before. */
  cachedAtAdmission = -1;

  // Held while running.
  slot = -1; // row of the block tables
  admission = 0; // order of admission
  pageCount = 0; // pages in its row
  sharedPages = 0; // the first of them, which belong to the tree path that ends at `tail`
  tail: RadixNode | null = null;
  // Pages of its row whose window halves it holds: [windowFrom, windowTo).
  windowFrom = 0;
  windowTo = 0;

  sitsOut = false; // of the step that is planned, though it decodes
  turn = 0; // the last round in which it decoded, where turns are taken

  /** Guesses what comes next; made when it first decodes, where that is wanted. */
  drafter: Drafter | null = null;

  // Prefix wait: the running sequence that is computing pages this one could share, and how many.
  waitsFor: Sequence | null = null;
  waitsForPages = 0;

  // The length of the cached prefix, remembered until the cache or the sequence changes.
  matchVersion = -1;
  matchedTo = -1; // the match limit that it was looked up with
  matchPages = 0;
  knownPages = 0; // those in the tree, whose window halves may be gone

  // Evicted pages that are kept elsewhere.
  readonly pageKeys: string[] = []; // of its first pages, as far as they have been needed
  restorablePages = 0; // behind those computed, to be copied back before anything is computed
  fetchTried = false; // the disk has been asked, once for each time it waits
  fetchUntilMs = 0; // the time to wait for it
  awaitedPage: string | null = null; // key of the last one on its way

  constructor(options: SequenceOptions) {
    this.tenant = options.tenant;
    this.priority = options.priority;
    this.deadlineMs = options.deadlineMs;
    this.arrival = options.arrival;
    this.enqueuedAtMs = options.enqueuedAtMs;
    this.cacheable = options.cacheable;
    this.speculative = options.speculative;
    this.promptOutputs = options.promptOutputs;
    this.sessionId = options.sessionId;
    this.promptLength = options.prompt.length;
    this.maxLength = options.prompt.length + options.maxNewTokens;
    this.tokens = options.prompt;
    this.length = options.prompt.length;
    this.preempted = options.generated.length > 0;
    for (const token of options.generated) this.append(token);
  }

  get generated(): number {
    return this.length - this.promptLength;
  }

  get remaining(): number {
    return this.length - this.computed;
  }

  /** Tokens that may come from the cache: at least one is computed, and none whose logits are still wanted. */
  get matchLimit(): number {
    return Math.min(this.length - 1, this.promptOutputs ? this.promptOutputsDone : this.length);
  }

  append(token: number): void {
    if (this.length === this.tokens.length) {
      const grown = new Int32Array(Math.min(this.maxLength, Math.max(2 * this.length, this.length + 64)));
      grown.set(this.tokens);
      this.tokens = grown;
    }
    this.tokens[this.length++] = token;
  }

  history(): Int32Array {
    return this.tokens.subarray(0, this.length);
  }
}
