import { Vault } from './vault.js';

export interface VaultLimits {
  idleMs: number;
  maxVaults: number;
}

interface Entry {
  vault: Vault;
  users: number; // requests that run
  lastUsedMs: number;
}

/** A request's vault, and what to call when it has ended. */
export interface VaultLease {
  vault: Vault;
  release(): void;
}

/** Vaults of sessions, the least recently used first; a request without a session has one of its own. */
export class Vaults {
  readonly #limits: VaultLimits;
  readonly #nowMs: () => number;
  readonly #entries = new Map<string, Entry>();

  constructor(limits: VaultLimits, nowMs: () => number) {
    this.#limits = limits;
    this.#nowMs = nowMs;
  }

  get size(): number {
    return this.#entries.size;
  }

  has(tenant: string, sessionId: string): boolean {
    return this.#entries.has(nameOf(tenant, sessionId));
  }

  lease(tenant: string, sessionId: string | null): VaultLease {
    if (sessionId === null) {
      const vault = new Vault();
      return { vault, release: () => vault.destroy() };
    }
    const name = nameOf(tenant, sessionId);
    const entry = this.#entries.get(name) ?? { vault: new Vault(), users: 0, lastUsedMs: 0 };
    entry.users += 1;
    this.#touch(name, entry);
    this.#evict();
    const release = () => {
      entry.users -= 1;
      if (this.#entries.get(name) === entry) this.#touch(name, entry);
      else if (entry.users === 0) entry.vault.destroy();
    };
    return { vault: entry.vault, release };
  }

  /** To be called now and then. */
  expire(): void {
    const beforeMs = this.#nowMs() - this.#limits.idleMs;
    for (const [name, entry] of this.#entries) {
      if (entry.lastUsedMs >= beforeMs) return; // the rest is younger
      if (entry.users === 0) this.#drop(name, entry);
    }
  }

  close(): void {
    for (const [name, entry] of this.#entries) this.#drop(name, entry);
  }

  #touch(name: string, entry: Entry): void {
    entry.lastUsedMs = this.#nowMs();
    this.#entries.delete(name);
    this.#entries.set(name, entry);
  }

  #evict(): void {
    for (const [name, entry] of this.#entries) {
      if (this.#entries.size <= this.#limits.maxVaults) return;
      this.#drop(name, entry);
    }
  }

  /** One that a request still uses ends with it. */
  #drop(name: string, entry: Entry): void {
    this.#entries.delete(name);
    if (entry.users === 0) entry.vault.destroy();
  }
}

function nameOf(tenant: string, sessionId: string): string {
  return JSON.stringify([tenant, sessionId]);
}
