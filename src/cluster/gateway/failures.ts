import { type ErrorCode, SluiceError } from '../../errors.js';

const passing: ReadonlySet<ErrorCode> = new Set(['shutting_down', 'model_not_ready', 'queue_full']);

/** Whether a worker can't at the moment, which says nothing bad about it or the request. */
export function isPassing(code: ErrorCode): boolean {
  return passing.has(code);
}

/** Whether another worker may do better. */
export function isOfWorker(code: ErrorCode): boolean {
  return isPassing(code) || code === 'engine_failed' || code === 'internal_error';
}

/** How a request of the cluster ends that isn't answered. */

export function queueFull(waiting: number): SluiceError {
  return new SluiceError('queue_full', `${waiting} requests wait for the workers of this model.`, {
    retryAfterSeconds: 2,
  });
}

export function waitedTooLong(waitTimeoutMs: number): SluiceError {
  const message = `The request waited ${waitTimeoutMs} ms for a worker and wasn't served.`;
  return new SluiceError('inference_timeout', message, { retryAfterSeconds: 5 });
}

export function pastDeadline(): SluiceError {
  return new SluiceError('deadline_exceeded', 'The deadline passed before the answer was complete.');
}

export function lostForGood(losses: number): SluiceError {
  const who = losses === 1 ? 'A worker' : `${losses} workers`;
  return new SluiceError('engine_failed', `${who} failed while computing this request.`);
}
