import type { ErrorMessage } from './protocol.js';

export class ClientError extends Error {
  override readonly name = 'ClientError';
  /** The server's error code, or 'connection_closed'. */
  readonly code: string;
  readonly param: string | null;
  readonly retryAfterSeconds: number | null;

  constructor(
    code: string,
    message: string,
    param: string | null = null,
    retryAfterSeconds: number | null = null,
  ) {
    super(message);
    this.code = code;
    this.param = param;
    this.retryAfterSeconds = retryAfterSeconds;
  }

  static of({ error }: ErrorMessage): ClientError {
    return new ClientError(error.code, error.message, error.param, error.retry_after_seconds ?? null);
  }
}
