import { SluiceError } from '../errors.js';
import type { ByteBudget } from './byte-budget.js';
import type { HttpResponse } from './uws.js';

export interface BodyLimits {
  maxBodyBytes: number;
  bodyTimeoutMs: number;
  /** What all bodies that are being received may hold together. */
  budget: ByteBudget;
}

/**
 * Receives a body. Rejects with body_too_large, request_timeout, queue_full (too many bodies at once), or `cancelled` where
 * the client leaves half-way: `onAbort` is given what is to be called then. Must be called within the request's own callback, before anything is awaited.
 */
export function receiveBody(
  response: HttpResponse,
  contentLength: number,
  limits: BodyLimits,
  onAbort: (abort: () => void) => void,
): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    let chunks: Buffer[] = [];
    let size = 0;
    let ended = false;

    const end = () => {
      ended = true;
      limits.budget.release(size);
      clearTimeout(timer);
    };
    const fail = (error: SluiceError) => {
      if (ended) return;
      end();
      chunks = [];
      reject(error);
    };
    const tooLarge = () =>
      fail(new SluiceError('body_too_large', `The body is larger than ${limits.maxBodyBytes} bytes.`));
    const timer = setTimeout(() => {
      fail(new SluiceError('request_timeout', `The body didn't arrive within ${limits.bodyTimeoutMs} ms.`));
    }, limits.bodyTimeoutMs);
    onAbort(() => fail(new SluiceError('cancelled', 'The client closed the connection.')));

    if (contentLength > limits.maxBodyBytes) return tooLarge();
    response.onData((chunk, isLast) => {
      if (ended) return;
      if (size + chunk.byteLength > limits.maxBodyBytes) return tooLarge();
      if (!limits.budget.take(chunk.byteLength)) {
        return fail(
          new SluiceError('queue_full', 'Too many requests are being received.', { retryAfterSeconds: 1 }),
        );
      }
      size += chunk.byteLength;
      chunks.push(Buffer.from(new Uint8Array(chunk))); // uWS takes its memory back when this returns
      if (!isLast) return;
      end();
      resolve(chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks, size));
    });
  });
}
