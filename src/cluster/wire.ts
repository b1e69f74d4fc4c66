import { anonymousCaller } from '../auth/caller.js';
import type { TokenBound } from '../cost/tab.js';
import type { PinnedPrefix } from '../engine/types.js';
import type { ErrorCode } from '../errors.js';
import type { Progress } from '../generation/progress.js';
import type { GenerationEvent, Usage, ValidatedRequest } from '../generation/types.js';
import type { PrefixSource } from '../routing/model-tools.js';

/** Changes when gateways and workers of one version can't talk to the other's. */
export const WIRE_VERSION = 1;

/** What a gateway asks of a worker. Whose request it is stays at the gateway, but for the tenant. */
export interface Work {
  version: number;
  request: Omit<ValidatedRequest, 'caller' | 'deadlineMs'>;
  /** What the client has of the answer already; null: nothing. */
  progress: Progress | null;
  /** Of the model that answered so far: another's tokens would not go on where it stopped. */
  revision: string | null;
  /** `traceparent` and `tracestate`, names and values in turns; absent, or empty: it isn't traced. */
  trace?: readonly string[];
}

/**
 * What a worker says about a request. An attempt's messages are numbered from 0, `taken` being the first, so that the
 * gateway sees gaps and repeats. `ended` or `failed` is the last; of a call, `returned` or `failed`
 * is the only one.
 */
export type WorkerMessage = { id: string; attempt: number; number: number } & WorkerNews;

export type WorkerNews =
  | { type: 'taken'; revision: string }
  | { type: 'counted'; bound: TokenBound }
  | { type: 'event'; event: GenerationEvent }
  | { type: 'ended'; usage: Usage }
  | { type: 'returned'; result: unknown } // of a call
  | {
      type: 'failed';
      code: ErrorCode;
      message: string;
      param: string | null;
      retryAfterSeconds: number | null;
    };

/** One entry of a gateway's results: all that arose in one step of a worker, or a sign of life. */
export interface Batch {
  worker: string;
  messages: WorkerMessage[];
  /** Requests of this gateway that the worker is at; only in signs of life. */
  alive?: { id: string; attempt: number }[];
}

/** What a gateway has to say to a worker. */
export type Order = { type: 'cancel'; id: string; attempt: number } | ({ type: 'call' } & Call);

/** Something that a worker is to do at once, beside its queue. The id is unique, also among those of requests. */
export interface Call {
  id: string;
  attempt: number;
  gateway: string;
  name: ProcedureName;
  argument: unknown; // as the procedure has it
}

/** What workers can be called for. Each may be done twice. */
export interface Procedures {
  tokenize(argument: { text: string; addSpecial: boolean; parseSpecial: boolean }): Promise<Int32Array>;
  detokenize(argument: { tokens: Int32Array; special: boolean }): Promise<string>;
  pinPrefix(argument: { tenant: string; id: string; source: PrefixSource }): Promise<PinnedPrefix>;
  /** Tokens of texts, the encoder's. */
  encoderTokens(argument: { texts: readonly string[] }, signal: AbortSignal): Promise<Int32Array[]>;
  /** Vectors of texts, given as the encoder's tokens. */
  vectors(argument: { texts: readonly Int32Array[] }, signal: AbortSignal): Promise<Float32Array[]>;
}

export type ProcedureName = keyof Procedures;
export type ArgumentOf<Name extends ProcedureName> = Parameters<Procedures[Name]>[0];
export type ResultOf<Name extends ProcedureName> = Awaited<ReturnType<Procedures[Name]>>;

export function workOf(
  request: ValidatedRequest,
  progress: Progress | null,
  revision: string | null,
  trace: readonly string[],
): Work {
  const { caller: _, deadlineMs: __, ...rest } = request;
  return { version: WIRE_VERSION, request: rest, progress, revision: progress ? revision : null, trace };
}

/** Sequences that a request takes of a worker. */
export function sequencesOf({ input, choices }: Pick<ValidatedRequest, 'input' | 'choices'>): number {
  return (input.kind === 'text' ? input.prompts.length : 1) * choices;
}

export function requestOf({ request }: Work, deadlineMs: number): ValidatedRequest {
  return { ...request, deadlineMs, caller: { ...anonymousCaller(false), tenant: request.tenant } };
}
