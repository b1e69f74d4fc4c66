import type { ErrorCode } from '../errors.js';
import type { Outcome } from './breaker.js';

/** What an error says of who was tried, and what to do next. */
export interface Failure {
  outcome: Outcome;
  /** `retry`: the same model once more, then the next; `other`: another model; `give-up`: it is the request's own fault. */
  next: 'retry' | 'other' | 'give-up';
}

const failures: Partial<Record<ErrorCode, Failure>> = {
  upstream_failed: { outcome: 'failure', next: 'retry' },
  upstream_overloaded: { outcome: 'neutral', next: 'retry' },
  upstream_timeout: { outcome: 'failure', next: 'other' },
  upstream_misconfigured: { outcome: 'failure', next: 'other' },
  engine_failed: { outcome: 'failure', next: 'other' },
  internal_error: { outcome: 'neutral', next: 'other' },
  no_healthy_models: { outcome: 'neutral', next: 'other' },
  model_not_ready: { outcome: 'neutral', next: 'other' },
  shutting_down: { outcome: 'neutral', next: 'other' },
  queue_full: { outcome: 'neutral', next: 'other' },
  inference_timeout: { outcome: 'neutral', next: 'other' },
  // Another model may be cheaper.
  insufficient_quota: { outcome: 'neutral', next: 'other' },
  // Another model may have more room.
  context_length_exceeded: { outcome: 'neutral', next: 'other' },
  request_too_large: { outcome: 'neutral', next: 'other' },
};

export function failureOf(code: ErrorCode): Failure {
  return failures[code] ?? { outcome: 'neutral', next: 'give-up' };
}
