import { SluiceError } from '../errors.js';
import { anonymousCaller, type Caller } from './caller.js';
import { idOfKey } from './key.js';
import type { KeyDirectory } from './key-directory.js';

/** Who may come in. */
export interface Access {
  /** Whether a key is needed now. */
  readonly needsKey: boolean;
  /**
   * The caller of a request with this Authorization header; a promise where the store has to be asked. Throws, or rejects
   * with, invalid_api_key or store_unavailable.
   */
  authenticate(authorization: string | undefined): Caller | Promise<Caller>;
  /** The same for a key by itself. */
  authenticateKey(key: string): Caller | Promise<Caller>;
  /** The caller as it is now. Throws invalid_api_key where its key is no longer good. */
  current(caller: Caller): Caller;
}

/** No keys, and no store to find any in. */
export function openAccess(isAdmin: boolean): Access {
  const everyone = anonymousCaller(isAdmin);
  return {
    needsKey: false,
    authenticate: () => everyone,
    authenticateKey: () => everyone,
    current: () => everyone,
  };
}

export interface KeyAccessOptions {
  directory: KeyDirectory;
  /** After so long without news of the store, keys that it may have revoked are no longer believed. */
  maxStalenessMs: number;
  isLoopback: boolean; // without keys, only who is on this machine may make the first
  nowMs: () => number; // since 1970
  onFault: (error: unknown) => void;
}

export class KeyAccess implements Access {
  readonly #directory: KeyDirectory;
  readonly #maxStalenessMs: number;
  readonly #nowMs: () => number;
  readonly #onFault: (error: unknown) => void;
  readonly #everyone: Caller;
  #freshAtMs: number;
  #timer: NodeJS.Timeout | null = null;

  constructor({ directory, maxStalenessMs, isLoopback, nowMs, onFault }: KeyAccessOptions) {
    this.#directory = directory;
    this.#maxStalenessMs = maxStalenessMs;
    this.#nowMs = nowMs;
    this.#onFault = onFault;
    this.#everyone = anonymousCaller(isLoopback);
    this.#freshAtMs = nowMs();
  }

  get needsKey(): boolean {
    return this.#directory.hasKeys;
  }

  authenticate(authorization: string | undefined): Caller | Promise<Caller> {
    const key = /^Bearer +(\S+)$/i.exec(authorization ?? '')?.[1];
    if (key !== undefined) return this.authenticateKey(key);
    if (!this.needsKey) return this.#everyone;
    throw refusal('A key is needed: send it as "Authorization: Bearer <key>".');
  }

  authenticateKey(key: string): Caller | Promise<Caller> {
    const known = this.#find(key);
    if (known) return known;
    if (idOfKey(key) !== null) return this.#ask(key); // it may have been made a moment ago
    if (!this.needsKey) return this.#everyone; // clients that must send some key send any
    throw wrongKey();
  }

  current(caller: Caller): Caller {
    if (caller.keyId === null) {
      if (!this.needsKey) return caller;
      throw refusal('This server needs a key by now.');
    }
    this.#refuseStale();
    const current = this.#directory.current(caller.keyId, this.#nowMs());
    if (current) return current;
    throw wrongKey();
  }

  /** Looks for changes every `intervalMs`. */
  watch(intervalMs: number): void {
    const look = async () => {
      try {
        await this.refresh();
      } catch (error) {
        this.#onFault(error);
      }
      if (this.#timer) this.#timer = setTimeout(look, intervalMs).unref();
    };
    this.#timer = setTimeout(look, intervalMs).unref();
  }

  stop(): void {
    if (this.#timer) clearTimeout(this.#timer);
    this.#timer = null;
  }

  async refresh(): Promise<void> {
    const startedAtMs = this.#nowMs();
    await this.#directory.refresh();
    this.#freshAtMs = startedAtMs;
  }

  #find(key: string): Caller | null {
    const caller = this.#directory.find(key, this.#nowMs());
    if (caller) this.#refuseStale();
    return caller;
  }

  async #ask(key: string): Promise<Caller> {
    await this.refresh();
    const caller = this.#find(key);
    if (caller) return caller;
    if (!this.needsKey) return this.#everyone;
    throw wrongKey();
  }

  #refuseStale(): void {
    if (this.#nowMs() - this.#freshAtMs <= this.#maxStalenessMs) return;
    throw new SluiceError('store_unavailable', "Keys can't be checked at the moment.", {
      retryAfterSeconds: 5,
    });
  }
}

function wrongKey(): SluiceError {
  return refusal('This key is unknown, revoked or expired.');
}

/** With the challenge that RFC 9110, 15.5.2 asks of every 401. */
function refusal(message: string): SluiceError {
  return new SluiceError('invalid_api_key', message, { headers: { 'www-authenticate': 'Bearer' } });
}
