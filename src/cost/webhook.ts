import { createHmac } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';

const TIMEOUT_MS = 10_000;
const RETRY_DELAYS_MS = [1_000, 10_000, 60_000];

export interface WebhookOptions {
  url: string;
  secret: string;
  nowMs: () => number; // since 1970
  retryDelaysMs?: readonly number[];
}

/** Sends JSON to an operator's address, signed so that the receiver knows whose it is. */
export class Webhook {
  readonly #options: WebhookOptions;

  constructor(options: WebhookOptions) {
    this.#options = options;
  }

  /** True when the receiver has answered 2xx; false when all attempts have failed. */
  async send(body: string, signal: AbortSignal): Promise<boolean> {
    const delaysMs = this.#options.retryDelaysMs ?? RETRY_DELAYS_MS;
    for (let attempt = 0; ; attempt += 1) {
      if (await this.#post(body, signal)) return true;
      const delayMs = delaysMs[attempt];
      if (delayMs === undefined || signal.aborted) return false;
      await delay(delayMs, undefined, { signal, ref: false }).catch(() => undefined);
    }
  }

  async #post(body: string, signal: AbortSignal): Promise<boolean> {
    const headers = signedHeaders(this.#options.secret, this.#options.nowMs(), body);
    try {
      const ended = AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)]);
      const options = { method: 'POST', body, headers, signal: ended, redirect: 'error' as const };
      const response = await fetch(this.#options.url, options);
      await response.body?.cancel();
      return response.ok;
    } catch {
      return false;
    }
  }
}

/** Headers of signed JSON. */
export function signedHeaders(secret: string, nowMs: number, body: string): Record<string, string> {
  const seconds = Math.floor(nowMs / 1000);
  return {
    'content-type': 'application/json',
    'sluice-signature': `t=${seconds},v1=${sign(secret, seconds, body)}`,
  };
}

/** HMAC-SHA-256 over "seconds.body", hexadecimal: the time is signed too, so that old messages can be told. */
export function sign(secret: string, seconds: number, body: string): string {
  return createHmac('sha256', secret).update(`${seconds}.${body}`).digest('hex');
}
