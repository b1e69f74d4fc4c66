/**
 * Every error a caller can meet, in one table: code → HTTP status, OpenAI error type, and whether trying again
 * can help. Messages never carry host paths, addresses or another tenant's text.
 */
export const errorTable = {
  // The request is wrong; sending it again gives the same answer.
  invalid_request: { status: 400, type: 'invalid_request_error', retry: false },
  invalid_json: { status: 400, type: 'invalid_request_error', retry: false },
  invalid_value: { status: 400, type: 'invalid_request_error', retry: false },
  context_length_exceeded: { status: 400, type: 'invalid_request_error', retry: false },
  unsupported_parameter: { status: 400, type: 'invalid_request_error', retry: false },
  invalid_grammar: { status: 400, type: 'invalid_request_error', retry: false },
  content_policy_violation: { status: 400, type: 'invalid_request_error', retry: false }, // a guard has blocked it
  max_cost_exceeded: { status: 400, type: 'invalid_request_error', retry: false },
  invalid_api_key: { status: 401, type: 'authentication_error', retry: false },
  permission_denied: { status: 403, type: 'permission_error', retry: false },
  model_not_found: { status: 404, type: 'invalid_request_error', retry: false },
  not_found: { status: 404, type: 'invalid_request_error', retry: false },
  method_not_allowed: { status: 405, type: 'invalid_request_error', retry: false },
  request_timeout: { status: 408, type: 'invalid_request_error', retry: true },
  duplicate_id: { status: 409, type: 'invalid_request_error', retry: false },
  body_too_large: { status: 413, type: 'invalid_request_error', retry: false },
  unsupported_media_type: { status: 415, type: 'invalid_request_error', retry: false },
  headers_too_large: { status: 431, type: 'invalid_request_error', retry: false },
  request_too_large: { status: 400, type: 'invalid_request_error', retry: false }, // can never fit the page pool
  // The caller has used up what it may; the answer says when there is more.
  insufficient_quota: { status: 402, type: 'insufficient_quota', retry: false },
  rate_limit_exceeded: { status: 429, type: 'rate_limit_error', retry: true },
  // The server is busy or going away.
  queue_full: { status: 429, type: 'rate_limit_error', retry: true },
  slow_reader: { status: 429, type: 'rate_limit_error', retry: true },
  shutting_down: { status: 503, type: 'server_error', retry: true },
  store_unavailable: { status: 503, type: 'server_error', retry: true }, // keys or limits can't be read or written
  guard_failed: { status: 503, type: 'server_error', retry: true }, // what couldn't be checked isn't let through
  model_not_ready: { status: 503, type: 'server_error', retry: true },
  no_healthy_models: { status: 503, type: 'server_error', retry: true }, // nobody who could answer is up
  inference_timeout: { status: 504, type: 'server_error', retry: true }, // waited too long for its model
  deadline_exceeded: { status: 504, type: 'server_error', retry: true },
  not_cached: { status: 504, type: 'invalid_request_error', retry: false }, // RFC 9111, 5.2.1.7: only-if-cached
  cancelled: { status: 499, type: 'invalid_request_error', retry: false },
  // An upstream endpoint failed us.
  upstream_failed: { status: 502, type: 'server_error', retry: true },
  upstream_overloaded: { status: 429, type: 'rate_limit_error', retry: true },
  upstream_misconfigured: { status: 502, type: 'server_error', retry: false }, // it refuses our key, or lacks the model
  upstream_timeout: { status: 504, type: 'server_error', retry: true },
  // A model could not be fetched (`sluice models pull`, start of the server), or isn't for this key.
  model_access_denied: { status: 403, type: 'permission_error', retry: false },
  model_download_failed: { status: 502, type: 'server_error', retry: true },
  model_checksum_mismatch: { status: 502, type: 'server_error', retry: false },
  insufficient_storage: { status: 507, type: 'server_error', retry: false },
  // The server failed.
  engine_failed: { status: 500, type: 'server_error', retry: true },
  internal_error: { status: 500, type: 'server_error', retry: true },
} as const;

export type ErrorCode = keyof typeof errorTable;

export class SluiceError extends Error {
  override readonly name = 'SluiceError';
  readonly code: ErrorCode;
  /** The request field at fault, in dotted form (`messages.0.role`), or null. */
  readonly param: string | null;
  /** Seconds after which trying again is worth it; sent as Retry-After. */
  readonly retryAfterSeconds: number | null;
  /** Further headers of the answer, such as what is left of a limit. */
  readonly headers: Readonly<Record<string, string>>;
  /** Further fields of the error on the wire. */
  readonly details: Readonly<Record<string, unknown>>;

  constructor(
    code: ErrorCode,
    message: string,
    options: {
      param?: string | null;
      retryAfterSeconds?: number | null;
      headers?: Readonly<Record<string, string>>;
      details?: Readonly<Record<string, unknown>>;
      cause?: unknown;
    } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.param = options.param ?? null;
    this.retryAfterSeconds = options.retryAfterSeconds ?? null;
    this.headers = options.headers ?? {};
    this.details = options.details ?? {};
  }

  get status(): number {
    return errorTable[this.code].status;
  }

  /** Inside a stream, whose headers are sent. */
  toEvent(): { error: { code: string; retry_after_seconds?: number } } {
    const { error } = this.toJSON();
    const { retryAfterSeconds } = this;
    return {
      error: retryAfterSeconds === null ? error : { ...error, retry_after_seconds: retryAfterSeconds },
    };
  }

  /** OpenAI's wire shape. */
  toJSON(): { error: { message: string; type: string; code: string; param: string | null } } {
    const { type } = errorTable[this.code];
    return { error: { message: this.message, type, code: this.code, param: this.param, ...this.details } };
  }
}

/** Seconds after which this server may have been started again, or another has taken its place. */
const restartSeconds = 5;

export function shuttingDown(who: 'server' | 'worker' = 'server'): SluiceError {
  return new SluiceError('shutting_down', `The ${who} is shutting down.`, {
    retryAfterSeconds: restartSeconds,
  });
}

/** Whatever was thrown, as a SluiceError; unknown errors become internal_error without their message. */
export function toSluiceError(thrown: unknown): SluiceError {
  if (thrown instanceof SluiceError) return thrown;
  return new SluiceError('internal_error', 'Internal server error.', { cause: thrown });
}
