import { Packr } from 'msgpackr';
import { anonymousCaller } from '../auth/caller.js';
import type { TokenBound } from '../cost/tab.js';
import type { ErrorCode } from '../errors.js';
import type { Progress } from '../generation/progress.js';
import type { GenerationEvent, Usage, ValidatedRequest } from '../generation/types.js';

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
}

/**
 * What a worker says about a request. An attempt's messages are numbered from 0, `taken` being the first, so that the
 * gateway sees gaps and repeats. `ended` or `failed` is the last.
 */
export type WorkerMessage = { id: string; attempt: number; number: number } & WorkerNews;

export type WorkerNews =
  | { type: 'taken'; revision: string }
  | { type: 'counted'; bound: TokenBound }
  | { type: 'event'; event: GenerationEvent }
  | { type: 'ended'; usage: Usage }
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
export interface Order {
  type: 'cancel';
  id: string;
  attempt: number;
}

const packr = new Packr({ useRecords: false, moreTypes: true });

export function pack(value: Work | Batch | Order | object): Buffer {
  return packr.pack(value);
}

/** Throws where the bytes aren't msgpack. What they mean is the sender's word: both ends are this program. */
export function unpack<T>(bytes: Buffer): T {
  return packr.unpack(bytes) as T;
}

export function workOf(request: ValidatedRequest, progress: Progress | null, revision: string | null): Work {
  const { caller: _, deadlineMs: __, ...rest } = request;
  return { version: WIRE_VERSION, request: rest, progress, revision: progress ? revision : null };
}

export function requestOf({ request }: Work, deadlineMs: number): ValidatedRequest {
  return { ...request, deadlineMs, caller: { ...anonymousCaller(false), tenant: request.tenant } };
}
