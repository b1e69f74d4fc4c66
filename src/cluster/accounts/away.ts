import { SluiceError } from '../../errors.js';

/** What an operation on shared accounts fails with while Redis doesn't answer. */
export function accountsAway(cause?: unknown): SluiceError {
  return new SluiceError(
    'store_unavailable',
    "Redis can't be reached, so limits and budgets can't be checked.",
    {
      retryAfterSeconds: 2,
      cause,
    },
  );
}
