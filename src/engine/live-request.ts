import type { Pieces } from './detokenizer.js';
import { OutputText } from './output.js';
import { Sequence } from './sequence.js';
import { StopPatterns } from './stop.js';
import type { GenerateRequest, PinnedPrefix, ResumedChoice, TokenLogprob } from './types.js';

/** One of a request's n answers. */
export interface Choice {
  readonly request: LiveRequest;
  readonly index: number;
  readonly sequence: Sequence;
  readonly output: OutputText;
}

/** What `pinPrefix` asked for; its prompt is computed like any other request. */
export interface PinCall {
  id: string;
  settle(result: PinResult): void;
}

export type PinResult = { prefix: PinnedPrefix } | { error: PinError };

export interface PinError {
  code:
    | 'unsupported_parameter'
    | 'duplicate_id'
    | 'request_too_large'
    | 'queue_full'
    | 'engine_failed'
    | 'cancelled';
  message: string;
}

export interface LiveRequestOptions {
  request: GenerateRequest;
  arrival: number;
  nowMs: number;
  maxContext: number; // tokens
  canShare: boolean; // whether this model and configuration have a prefix cache
  canSpeculate: boolean;
  pieces: Pieces;
  pin: PinCall | null;
}

/**
 * A request between acceptance and its last event. Only its first choice is queued at first; the others follow when
 * the prompt has been computed, and find it in the prefix cache.
 */
export class LiveRequest {
  readonly request: GenerateRequest;
  readonly pin: PinCall | null;
  readonly deadlineMs: number;
  readonly choices: Choice[];
  readonly promptLogprobs: (TokenLogprob | null)[] | null;
  /** Choices that have not ended. */
  openChoices: number;
  /** Its first choice has not run yet. */
  queued = true;
  promptReported = false;
  heapIndex = -1; // in the heap of deadlines

  constructor(options: LiveRequestOptions) {
    const { request } = options;
    this.request = request;
    this.pin = options.pin;
    this.deadlineMs = request.deadlineMs ?? Number.POSITIVE_INFINITY;
    this.promptLogprobs = request.promptLogprobs < 0 ? null : [null];
    const stops = new StopPatterns(request.stop);
    const preserved = new Set(request.preservedTokens);
    this.choices = Array.from({ length: request.choices }, (_, index) => ({
      request: this,
      index,
      sequence: sequenceOf(options, index),
      output: new OutputText(options.pieces, stops, preserved),
    }));
    this.openChoices = openChoicesOf(request);
    if (request.resumed) this.resume(request.resumed);
  }

  /** Text that has gone out is replayed, so that characters and stop strings go on where they were cut. */
  private resume(resumed: readonly ResumedChoice[]): void {
    for (const [index, { tokens, ended }] of resumed.entries()) {
      const { sequence, output } = this.choices[index]!;
      if (ended) sequence.state = 'finished';
      else for (const token of tokens) output.push(token);
    }
  }
}

/** Choices that are still to end. */
export function openChoicesOf({ choices, resumed }: GenerateRequest): number {
  return choices - (resumed?.filter(({ ended }) => ended).length ?? 0);
}

function sequenceOf(
  { request, arrival, nowMs, maxContext, canShare, canSpeculate }: LiveRequestOptions,
  index: number,
): Sequence {
  return new Sequence({
    tenant: request.tenant,
    prompt: request.prompt,
    generated: request.resumed?.[index]?.tokens ?? [],
    maxNewTokens: Math.min(request.maxTokens, maxContext - request.prompt.length),
    priority: request.priority,
    deadlineMs: request.deadlineMs,
    arrival,
    enqueuedAtMs: nowMs,
    cacheable: canShare && request.cachePrompt,
    speculative: canSpeculate,
    promptOutputs: request.promptLogprobs >= 0 && index === 0,
    sessionId: request.sessionId,
  });
}
