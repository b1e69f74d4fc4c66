import { SluiceError } from '../../errors.js';
import { errorAnswer } from './wire.js';

const LONGEST_MESSAGE = 500;
const LONGEST_RETRY_SECONDS = 3_600;

/**
 * An upstream's refusal, as ours. What it says of the request itself is passed on; what it says of our key or of itself isn't
 * the client's to know.
 */
export function failureOfStatus(status: number, body: string, retryAfter: string | null): SluiceError {
  if (status === 429 || status === 503) {
    const seconds = secondsOf(retryAfter);
    return new SluiceError(
      status === 429 ? 'upstream_overloaded' : 'upstream_failed',
      `The upstream answered ${status}.`,
      {
        retryAfterSeconds: seconds,
      },
    );
  }
  if (status === 400 || status === 413 || status === 422) return requestFault(body);
  if (status === 408 || status === 504) return new SluiceError('upstream_timeout', 'The upstream timed out.');
  if (status >= 500) return new SluiceError('upstream_failed', `The upstream answered ${status}.`);
  return new SluiceError('upstream_misconfigured', `The upstream refused us with ${status}.`);
}

export function failureOfNetwork(error: Error): SluiceError {
  const { code } = error as NodeJS.ErrnoException;
  if (code === 'UND_ERR_HEADERS_TIMEOUT' || code === 'UND_ERR_BODY_TIMEOUT')
    return new SluiceError('upstream_timeout', 'The upstream fell silent.', { cause: error });
  return new SluiceError(
    'upstream_failed',
    `The upstream can't be reached or broke off${code ? ` (${code})` : ''}.`,
    {
      cause: error,
    },
  );
}

function requestFault(body: string): SluiceError {
  let said: ReturnType<typeof errorAnswer.safeParse>;
  try {
    said = errorAnswer.safeParse(JSON.parse(body));
  } catch {
    return new SluiceError('invalid_request', 'The upstream refused the request.');
  }
  if (!said.success) return new SluiceError('invalid_request', 'The upstream refused the request.');
  const { message, code } = said.data.error;
  const ours = code === 'context_length_exceeded' ? code : 'invalid_request';
  return new SluiceError(ours, `The upstream refused the request: ${message.slice(0, LONGEST_MESSAGE)}`);
}

/** Seconds or an HTTP date (RFC 9110, 10.2.3); null where it is neither. */
function secondsOf(retryAfter: string | null): number | null {
  if (retryAfter === null) return null;
  const seconds = /^\d+$/.test(retryAfter)
    ? Number(retryAfter)
    : (Date.parse(retryAfter) - Date.now()) / 1000;
  return Number.isFinite(seconds) ? Math.min(LONGEST_RETRY_SECONDS, Math.max(0, Math.ceil(seconds))) : null;
}
