import { setTimeout as delay } from 'node:timers/promises';
import { errorTable, SluiceError } from '../errors.js';
import { type Fetch, nodeFetch } from './node-fetch.js';
import { isLoopback } from './reference.js';

/** How patient the downloads are. Tests shorten it. */
export interface HttpSettings {
  /** From sending a request to its response's headers. */
  responseTimeoutMs: number;
  /** Longest wait for the next bytes of a body. */
  stallTimeoutMs: number;
  maxRedirects: number;
  /** Attempts in a row that brought no new byte. */
  maxAttempts: number;
  /** Wait before the second attempt; doubles with each further one. */
  backoffMs: number;
  /** A server that asks for a longer wait than this is not waited for. */
  maxRetryAfterSeconds: number;
  fetch: Fetch;
  sleep: (ms: number, signal: AbortSignal) => Promise<void>;
  random: () => number;
}

export const defaultHttpSettings: HttpSettings = {
  responseTimeoutMs: 30_000,
  stallTimeoutMs: 30_000,
  maxRedirects: 10,
  maxAttempts: 6,
  backoffMs: 500,
  maxRetryAfterSeconds: 60,
  fetch: nodeFetch(() => undefined),
  sleep: async (ms, signal) => {
    await delay(ms, undefined, { signal });
  },
  random: Math.random,
};

export interface HttpRequest {
  url: URL;
  method?: 'GET' | 'HEAD';
  headers?: Record<string, string>;
  /** Authorization for the first origin; redirects to another one don't carry it. */
  authorization?: string | null;
  /** 'same-origin': a redirect to elsewhere is returned, not followed (its headers describe the file). */
  follow?: 'all' | 'same-origin';
}

/** A response whose body must be consumed or cancelled; aborting `controller` closes the connection. */
export interface HttpResponse {
  response: Response;
  controller: AbortController;
}

/** One request with its redirects. Error statuses become SluiceErrors; network faults are model_download_failed. */
export async function send(
  request: HttpRequest,
  settings: HttpSettings,
  signal: AbortSignal,
): Promise<HttpResponse> {
  let url = request.url;
  for (let hop = 0; hop <= settings.maxRedirects; hop++) {
    const reply = await sendOnce(url, request, settings, signal);
    const location = redirectTarget(reply.response, url);
    if (location === null) return checked(reply, url);
    if (request.follow === 'same-origin' && location.origin !== request.url.origin) return reply;
    reply.controller.abort();
    url = location;
  }
  throw new SluiceError(
    'model_not_found',
    `${describeUrl(request.url)} redirects more than ${settings.maxRedirects} times.`,
  );
}

/** Runs `attempt` until it returns or fails for good. Waits in between: doubling, or as long as the server asks. */
export async function withRetries<T>(
  settings: HttpSettings,
  signal: AbortSignal,
  attempt: (progressed: () => void) => Promise<T>,
): Promise<T> {
  let failures = 0;
  const progressed = () => {
    failures = 0;
  };
  for (;;) {
    try {
      return await attempt(progressed);
    } catch (error) {
      signal.throwIfAborted();
      failures++;
      if (!isWorthRetrying(error, settings) || failures >= settings.maxAttempts) throw error;
      await settings.sleep(waitMs(error as SluiceError, failures, settings), signal);
    }
  }
}

/** A whole small body, at most `maxBytes`, with retries. */
export async function fetchSmall(
  request: HttpRequest,
  maxBytes: number,
  settings: HttpSettings,
  signal: AbortSignal,
): Promise<Buffer> {
  return withRetries(settings, signal, async () => {
    const chunks: Uint8Array[] = [];
    let length = 0;
    const reply = await send(request, settings, signal);
    for await (const chunk of readBody(reply, request.url, settings)) {
      length += chunk.length;
      if (length > maxBytes) {
        throw new SluiceError(
          'model_not_found',
          `${describeUrl(request.url)} answered with more than ${maxBytes} bytes.`,
        );
      }
      chunks.push(chunk);
    }
    return Buffer.concat(chunks);
  });
}

/** The body's chunks. Leaving the loop early closes the connection; silence for stallTimeoutMs is a failure. */
export async function* readBody(
  { response, controller }: HttpResponse,
  url: URL,
  settings: HttpSettings,
): AsyncGenerator<Uint8Array> {
  if (response.body === null) return;
  const reader = response.body.getReader();
  const stall = () => controller.abort(new Error('stalled'));
  try {
    for (;;) {
      const watchdog = setTimeout(stall, settings.stallTimeoutMs);
      const { done, value } = await reader
        .read()
        .catch((error: unknown) => Promise.reject(networkError(url, reasonOf(error, controller.signal))))
        .finally(() => clearTimeout(watchdog));
      if (done) return;
      yield value;
    }
  } finally {
    controller.abort();
  }
}

/** A URL for messages: no credentials and no query, which may hold a signature. */
export function describeUrl(url: URL): string {
  return `${url.protocol}//${url.host}${url.pathname}`;
}

/** `https://user:password@host/` as a URL that fetch accepts, and the header that says the same. */
export function splitCredentials(url: URL): { url: URL; authorization: string | null } {
  if (url.username === '' && url.password === '') return { url, authorization: null };
  const pair = `${decodeURIComponent(url.username)}:${decodeURIComponent(url.password)}`;
  const bare = new URL(url);
  bare.username = '';
  bare.password = '';
  return { url: bare, authorization: `Basic ${Buffer.from(pair).toString('base64')}` };
}

async function sendOnce(
  url: URL,
  request: HttpRequest,
  settings: HttpSettings,
  signal: AbortSignal,
): Promise<HttpResponse> {
  signal.throwIfAborted();
  const controller = new AbortController();
  const forward = () => controller.abort(signal.reason);
  signal.addEventListener('abort', forward, { once: true });
  const timer = setTimeout(() => controller.abort(new Error('no response')), settings.responseTimeoutMs);
  try {
    const response = await settings.fetch(url, {
      method: request.method ?? 'GET',
      headers: headersFor(url, request),
      signal: controller.signal,
    });
    controller.signal.addEventListener('abort', () => signal.removeEventListener('abort', forward), {
      once: true,
    });
    return { response, controller };
  } catch (error) {
    signal.removeEventListener('abort', forward);
    signal.throwIfAborted();
    throw networkError(url, error);
  } finally {
    clearTimeout(timer);
  }
}

function headersFor(url: URL, request: HttpRequest): Record<string, string> {
  // identity: a compressed body has other byte offsets than the file, which Range and sizes speak of.
  const headers: Record<string, string> = {
    'accept-encoding': 'identity',
    'user-agent': 'sluice',
    ...request.headers,
  };
  if (
    request.authorization &&
    url.origin === request.url.origin &&
    (url.protocol === 'https:' || isLoopback(url))
  ) {
    headers.authorization = request.authorization;
  }
  return headers;
}

function redirectTarget(response: Response, from: URL): URL | null {
  if (![301, 302, 303, 307, 308].includes(response.status)) return null;
  const location = response.headers.get('location');
  if (location === null || !URL.canParse(location, from.href)) {
    throw new SluiceError('model_not_found', `${describeUrl(from)} redirects without saying where.`);
  }
  const target = new URL(location, from);
  const safe =
    target.protocol === 'https:' ||
    (target.protocol === 'http:' && (from.protocol === 'http:' || isLoopback(target)));
  if (!safe || target.username !== '') {
    throw new SluiceError(
      'model_access_denied',
      `${describeUrl(from)} redirects to an address that is not trusted.`,
    );
  }
  return target;
}

function checked(reply: HttpResponse, url: URL): HttpResponse {
  const { status } = reply.response;
  // 416 answers a Range beyond the end: the caller decides.
  if (reply.response.ok || status === 416) return reply;
  const retryAfterSeconds = parseRetryAfter(reply.response.headers.get('retry-after'));
  reply.controller.abort();
  throw statusError(status, url, retryAfterSeconds);
}

function statusError(status: number, url: URL, retryAfterSeconds: number | null): SluiceError {
  const where = describeUrl(url);
  if (status === 401 || status === 403) {
    return new SluiceError(
      'model_access_denied',
      `${where} refused access (${status}). A gated model needs its licence accepted and a token (HF_TOKEN).`,
    );
  }
  if (status === 408 || status === 429 || status >= 500) {
    const reason = status === 429 ? 'is limiting requests' : 'failed';
    return new SluiceError('model_download_failed', `${where} ${reason} (${status}).`, { retryAfterSeconds });
  }
  return new SluiceError('model_not_found', `${where} was not found (${status}).`);
}

/** RFC 9110, 10.2.3: seconds or a date. */
function parseRetryAfter(value: string | null): number | null {
  if (value === null) return null;
  if (/^\d{1,9}$/.test(value)) return Number(value);
  const dateMs = Date.parse(value);
  return Number.isNaN(dateMs) ? null : Math.max(0, Math.ceil((dateMs - Date.now()) / 1000));
}

/** Why it was aborted says more than that it was. */
function reasonOf(error: unknown, signal: AbortSignal): unknown {
  return signal.aborted ? signal.reason : error;
}

function networkError(url: URL, error: unknown): SluiceError {
  if (error instanceof SluiceError) return error;
  const { code } = error as { code?: string };
  const reason = code ?? (error instanceof Error ? error.message : 'unknown');
  return new SluiceError(
    'model_download_failed',
    `The connection to ${describeUrl(url)} failed (${reason}).`,
    {
      cause: error,
    },
  );
}

function isWorthRetrying(error: unknown, settings: HttpSettings): boolean {
  if (!(error instanceof SluiceError) || !errorTable[error.code].retry) return false;
  return (error.retryAfterSeconds ?? 0) <= settings.maxRetryAfterSeconds;
}

function waitMs(error: SluiceError, failures: number, settings: HttpSettings): number {
  const backoffMs = settings.backoffMs * 2 ** (failures - 1) * (0.5 + settings.random() / 2);
  return Math.max(backoffMs, (error.retryAfterSeconds ?? 0) * 1000);
}
