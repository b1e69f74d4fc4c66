import type { Dispatcher } from 'undici';
import { SluiceError } from '../../errors.js';
import { failureOfNetwork, failureOfStatus } from './faults.js';

/** Error answers are read up to here; their message is all that is looked at. */
const MAX_ERROR_BYTES = 64 * 2 ** 10;

/** Timers can't be set for longer. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

export interface ExchangeOptions {
  dispatcher: Dispatcher;
  path: string;
  headers: string[]; // name, value, name, value, …
  body: string;
  firstByteTimeoutMs: number;
  idleTimeoutMs: number;
  maxBytes: number; // of the answer
  timeLeftMs: number; // for all of it
}

/** What becomes of an answer. Whatever these throw ends the exchange. */
export interface AnswerReader {
  /** Part of a 200 answer's body. */
  data(chunk: Buffer): void;
  /** The body is complete. */
  end(): void;
  /** True once nothing more is needed, though the body goes on. */
  readonly isComplete: boolean;
}

/**
 * One POST, read as it comes, with undici's bare dispatch: no stream objects between the socket and the reader. Resolves at
 * the end of the body; rejects with an upstream_* error, deadline_exceeded, an error of the reader, or an
 * abort's reason.
 */
export function exchange(options: ExchangeOptions, reader: AnswerReader, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    let abort: ((error?: Error) => void) | null = null;
    let status = 0;
    let retryAfter: string | null = null;
    let received = 0;
    let errorBody: Buffer[] = [];
    let isSettled = false;

    const settle = (error: unknown) => {
      if (isSettled) return;
      isSettled = true;
      clearTimeout(timer);
      signal.removeEventListener('abort', onAbort);
      if (error === null) resolve();
      else reject(error);
    };
    /** Ends the exchange from our side. */
    const breakOff = (error: unknown) => {
      settle(error);
      abort?.();
    };
    const onAbort = () => breakOff(signal.reason);
    const timer = setTimeout(
      () => breakOff(new SluiceError('deadline_exceeded', "The request's deadline passed.")),
      Math.min(LONGEST_TIMER_MS, Math.max(0, options.timeLeftMs)),
    );
    signal.addEventListener('abort', onAbort);
    if (signal.aborted) {
      onAbort();
      return;
    }

    options.dispatcher.dispatch(
      {
        method: 'POST',
        path: options.path,
        headers: options.headers,
        body: options.body,
        headersTimeout: options.firstByteTimeoutMs,
        bodyTimeout: options.idleTimeoutMs,
      },
      {
        onConnect: (abortRequest) => {
          abort = abortRequest;
          if (isSettled) abortRequest();
        },
        onHeaders: (statusCode, headers) => {
          if (statusCode < 200) return true; // informational
          status = statusCode;
          if (status !== 200) retryAfter = headerOf(headers, 'retry-after');
          return true;
        },
        onData: (chunk) => {
          received += chunk.length;
          if (status !== 200) {
            if (received <= MAX_ERROR_BYTES) errorBody.push(chunk);
            else errorBody = [];
            return true;
          }
          if (received > options.maxBytes) {
            breakOff(new SluiceError('upstream_failed', "The upstream's answer is too large."));
            return false;
          }
          try {
            reader.data(chunk);
          } catch (error) {
            breakOff(error);
            return false;
          }
          return true;
        },
        onComplete: () => {
          if (status !== 200) {
            settle(failureOfStatus(status, Buffer.concat(errorBody).toString('utf8'), retryAfter));
            return;
          }
          try {
            if (!isSettled) reader.end();
            settle(null);
          } catch (error) {
            settle(error);
          }
        },
        onError: (error) => settle(reader.isComplete ? null : failureOfNetwork(error)),
      },
    );
  });
}

/** From undici's raw list of names and values. */
function headerOf(headers: readonly Buffer[], name: string): string | null {
  for (let index = 0; index + 1 < headers.length; index += 2) {
    if (headers[index]!.toString('latin1').toLowerCase() === name)
      return headers[index + 1]!.toString('latin1');
  }
  return null;
}
