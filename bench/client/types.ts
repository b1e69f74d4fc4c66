/** One generation to ask for. */
export interface GenerationPlan {
  prompt: number[] | string;
  maxTokens: number;
  cancel: AbortSignal | null; // the client gives up when it fires; null: it waits
}

/**
 * finished: the server said so, with all the tokens asked for. cancelled: we gave up. failed: anything else.
 */
export type Outcome = 'finished' | 'cancelled' | 'failed';

/** What one generation did. Times are performance.now() of this process. */
export interface RequestTrace {
  startedAtMs: number;
  endedAtMs: number;
  tokenAtMs: number[]; // arrival of each message that carried text
  outputTokens: number; // as the server counted; where it doesn't tell, messages with text
  promptTokens: number | null; // as the server counted
  cachedTokens: number | null; // prompt tokens it took from a cache
  endings: number; // end-of-generation messages seen: 1, unless the server is wrong or we cancelled
  outcome: Outcome;
  error: string | null; // kind, for counting
}

export interface LoadClient {
  /** Never rejects: failures are outcomes. `onText` sees the time of each message with text. */
  generate(plan: GenerationPlan, onText?: (atMs: number) => void): Promise<RequestTrace>;
  close(): void;
}
