export interface BatchLimits {
  maxTexts: number;
  maxTokens: number;
  targetMs: number; // what a batch should take at most
}

/** A text that waits: number `index` of a call's. */
export interface WaitingText {
  call: number;
  index: number;
  tokens: Int32Array;
}

/** Share of the newest batch in the moving average. */
const weight = 1 / 8;

/**
 * Texts that wait for a forward. Calls take turns, one text each, so that a short call doesn't wait for the whole of a long
 * one. A batch is as large as the limits and the time that earlier batches took allow, and at least one text.
 */
export class BatchQueue {
  readonly #limits: BatchLimits;
  /** By call, in the order of their turns. */
  readonly #waiting = new Map<number, WaitingText[]>();
  #msPerToken: number | null = null;

  constructor(limits: BatchLimits) {
    this.#limits = limits;
  }

  get isEmpty(): boolean {
    return this.#waiting.size === 0;
  }

  add(call: number, texts: readonly Int32Array[]): void {
    const waiting = texts.map((tokens, index) => ({ call, index, tokens })).reverse();
    if (waiting.length > 0) this.#waiting.set(call, waiting);
  }

  remove(call: number): void {
    this.#waiting.delete(call);
  }

  clear(): void {
    this.#waiting.clear();
  }

  /** What runs next; empty where nothing waits. O(texts taken). */
  take(): WaitingText[] {
    const batch: WaitingText[] = [];
    let room = this.#tokenBudget();
    while (batch.length < this.#limits.maxTexts) {
      const turn = this.#waiting.entries().next();
      if (turn.done) break;
      const [call, texts] = turn.value;
      const next = texts.at(-1)!;
      if (batch.length > 0 && next.tokens.length > room) break;
      room -= next.tokens.length;
      batch.push(next);
      texts.pop();
      this.#waiting.delete(call);
      if (texts.length > 0) this.#waiting.set(call, texts); // to the end of the line
    }
    return batch;
  }

  /** How long a batch took. */
  took(batch: readonly WaitingText[], ms: number): void {
    const perToken = ms / batch.reduce((sum, { tokens }) => sum + tokens.length, 0);
    this.#msPerToken ??= perToken;
    this.#msPerToken += (perToken - this.#msPerToken) * weight;
  }

  #tokenBudget(): number {
    const { maxTokens, targetMs } = this.#limits;
    return this.#msPerToken === null ? maxTokens : Math.min(maxTokens, targetMs / this.#msPerToken);
  }
}
