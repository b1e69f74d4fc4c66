import { hash, randomBytes, timingSafeEqual } from 'node:crypto';
import type { KeyRecord } from '../store/types.js';

const SECRET_BYTES = 32; // 256 bits: too many to try, so a plain hash is enough to store
const ID_BYTES = 8;
const pattern = /^sk-sluice-([0-9a-f]{16})-[\w-]{43}$/;

const nobody = Buffer.alloc(32);

/** What is kept of a key and of the one before its last rotation, as it is compared. */
export interface StoredSecret {
  current: Buffer;
  previous: Buffer;
  previousUntilMs: number;
}

const nothing: StoredSecret = { current: nobody, previous: nobody, previousUntilMs: 0 };

export function storedSecret({ hash, previousHash, previousUntilMs }: KeyRecord): StoredSecret {
  return {
    current: Buffer.from(hash, 'hex'),
    previous: previousHash === null ? nobody : Buffer.from(previousHash, 'hex'),
    previousUntilMs: previousUntilMs ?? 0,
  };
}

export interface NewKey {
  id: string;
  key: string; // shown once
  hash: string;
}

export function generateKey(random: (bytes: number) => Buffer = randomBytes): NewKey {
  const id = random(ID_BYTES).toString('hex');
  return { id, ...generateSecret(id, random) };
}

/** Another key of the same id. */
export function generateSecret(id: string, random: (bytes: number) => Buffer = randomBytes) {
  const key = `sk-sluice-${id}-${random(SECRET_BYTES).toString('base64url')}`;
  return { key, hash: hash('sha256', key) };
}

/** The id that a key carries; null where it isn't one of ours. */
export function idOfKey(key: string): string | null {
  return pattern.exec(key)?.[1] ?? null;
}

/**
 * Whether a key is the one recorded. Takes the same time whichever byte differs, and where nothing is recorded
 * (CVE-2025-59425).
 */
export function matches(key: string, secret: StoredSecret | undefined, nowMs: number): boolean {
  const { current, previous, previousUntilMs } = secret ?? nothing;
  const sent = hash('sha256', key, 'buffer');
  const isCurrent = timingSafeEqual(sent, current);
  const isPrevious = timingSafeEqual(sent, previous);
  return isCurrent || (isPrevious && previousUntilMs > nowMs);
}
