import type { GenerationPlan, Outcome, RequestTrace } from './types.js';

/** What a streamed message says; absent fields: it says nothing of that. */
export interface MessageFacts {
  hasText: boolean;
  ended: boolean;
  outputTokens?: number | undefined;
  promptTokens?: number | undefined;
  cachedTokens?: number | undefined;
  error?: string | undefined;
}

/** Builds the trace of one generation from its messages. */
export class TraceRecorder {
  private readonly trace: RequestTrace = {
    startedAtMs: performance.now(),
    endedAtMs: 0,
    tokenAtMs: [],
    outputTokens: 0,
    promptTokens: null,
    cachedTokens: null,
    endings: 0,
    outcome: 'failed',
    error: null,
  };

  constructor(
    private readonly plan: GenerationPlan,
    private readonly onText: ((atMs: number) => void) | undefined,
  ) {}

  message(facts: MessageFacts, atMs: number): void {
    const { trace } = this;
    if (facts.hasText) {
      trace.tokenAtMs.push(atMs);
      this.onText?.(atMs);
    }
    if (facts.ended) trace.endings++;
    if (facts.outputTokens !== undefined) trace.outputTokens = facts.outputTokens;
    if (facts.promptTokens !== undefined) trace.promptTokens = facts.promptTokens;
    if (facts.cachedTokens !== undefined) trace.cachedTokens = facts.cachedTokens;
    if (facts.error !== undefined) trace.error = facts.error;
  }

  get ended(): boolean {
    return this.trace.endedAtMs > 0;
  }

  /** The stream is over as its server meant it. */
  finish(): RequestTrace {
    const { trace } = this;
    if (trace.outputTokens === 0) trace.outputTokens = trace.tokenAtMs.length;
    if (trace.error === null && trace.endings !== 1)
      trace.error = trace.endings === 0 ? 'truncated' : 'ended_twice';
    // Requests ignore end-of-text tokens, so fewer tokens than asked for are a fault and would flatter the server.
    if (trace.error === null && trace.outputTokens !== this.plan.maxTokens) trace.error = 'wrong_token_count';
    return this.end(trace.error === null ? 'finished' : 'failed');
  }

  fail(kind: string): RequestTrace {
    this.trace.error ??= kind;
    return this.end('failed');
  }

  cancelled(): RequestTrace {
    this.trace.error = null;
    return this.end('cancelled');
  }

  private end(outcome: Outcome): RequestTrace {
    this.trace.outcome = outcome;
    this.trace.endedAtMs = performance.now();
    return this.trace;
  }
}
