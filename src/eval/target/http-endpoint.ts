import { setTimeout as delay } from 'node:timers/promises';
import { z } from 'zod';
import { type ErrorCode, errorTable, SluiceError } from '../../errors.js';
import { backoffMs } from '../../routing/backoff.js';
import type { Endpoint, EndpointPath, EndpointReply } from './endpoint.js';

export interface HttpEndpointOptions {
  url: string; // such as http://127.0.0.1:8080/v1
  apiKey: string | null;
  timeoutMs: number; // of one try
  retries: number;
  backoff?: { baseMs: number; maxMs: number };
}

const BACKOFF = { baseMs: 250, maxMs: 8_000 };
const LONGEST_WAIT_MS = 120_000; // that a server may ask for
const RETRIED_STATUS = new Set([408, 409, 429, 500, 502, 503, 504]);
const LONGEST_MESSAGE_CHARACTERS = 300;
const MOST_ANSWER_BYTES = 256 * 2 ** 20; // echoed log-probabilities of long prompts take some MiB

const errorBody = z.object({ error: z.object({ message: z.string(), code: z.string().nullish() }) });

/** An OpenAI-compatible server. What may help is tried again: lost connections, timeouts, 429 and 5xx. */
export class HttpEndpoint implements Endpoint {
  readonly #options: HttpEndpointOptions;

  constructor(options: HttpEndpointOptions) {
    this.#options = { ...options, url: options.url.replace(/\/+$/, '') };
  }

  async post(path: EndpointPath, body: object, signal: AbortSignal): Promise<EndpointReply> {
    for (let retry = 0; ; retry += 1) {
      try {
        return await this.#try(path, body, signal);
      } catch (thrown) {
        const error = thrown as SluiceError;
        if (signal.aborted || retry >= this.#options.retries || !isWorthAnother(error)) throw error;
        // There is nobody else to try: what the server asks for is waited for.
        const askedMs = (error.retryAfterSeconds ?? 0) * 1000;
        if (askedMs > LONGEST_WAIT_MS) throw error;
        const pauseMs = backoffMs(retry, this.#options.backoff ?? BACKOFF, Math.random) ?? 0;
        await delay(Math.max(askedMs, pauseMs), undefined, { signal });
      }
    }
  }

  async #try(path: EndpointPath, body: object, signal: AbortSignal): Promise<EndpointReply> {
    const { url, apiKey, timeoutMs } = this.#options;
    const startedAt = performance.now();
    const headers = {
      'content-type': 'application/json',
      ...(apiKey === null ? {} : { authorization: `Bearer ${apiKey}` }),
    };
    try {
      const ended = AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]);
      const request = { method: 'POST', headers, body: JSON.stringify(body), signal: ended };
      const response = await fetch(`${url}${path}`, request);
      const text = await textOf(response);
      if (!response.ok) throw refusal(response, text);
      return { body: parse(text), latencyMs: performance.now() - startedAt, isKept: false };
    } catch (thrown) {
      if (thrown instanceof SluiceError) throw thrown;
      signal.throwIfAborted();
      const error = thrown as Error;
      if (error.name === 'TimeoutError')
        throw new SluiceError('upstream_timeout', `The endpoint gave no answer within ${timeoutMs} ms.`);
      const cause = (error.cause as Error | undefined)?.message ?? error.message;
      throw new SluiceError('upstream_failed', `The endpoint can't be reached: ${cause}.`);
    }
  }
}

async function textOf({ body }: Response): Promise<string> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of body ?? []) {
    bytes += chunk.byteLength;
    if (bytes > MOST_ANSWER_BYTES)
      throw new SluiceError(
        'upstream_failed',
        `The endpoint's answer is longer than ${MOST_ANSWER_BYTES} bytes.`,
      );
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new SluiceError('upstream_failed', "The endpoint's answer isn't JSON.");
  }
}

/** Its own error where we have one of that name, so that a Sluice's errors stay what they are. */
function refusal(response: Response, text: string): SluiceError {
  let said = text;
  let code: ErrorCode = RETRIED_STATUS.has(response.status) ? 'upstream_failed' : 'upstream_misconfigured';
  try {
    const { error } = errorBody.parse(JSON.parse(text));
    said = error.message;
    if (error.code && error.code in errorTable) code = error.code as ErrorCode;
  } catch {
    // No error of OpenAI's shape: the text says what it can.
  }
  const after = Number(response.headers.get('retry-after') ?? Number.NaN);
  const retryAfterSeconds = Number.isFinite(after) ? after : null;
  return new SluiceError(code, `${response.status}: ${said.slice(0, LONGEST_MESSAGE_CHARACTERS)}`, {
    retryAfterSeconds,
  });
}

function isWorthAnother({ code }: SluiceError): boolean {
  return errorTable[code].retry;
}
