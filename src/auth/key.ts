import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import type { KeyRecord } from '../store/types.js';

const SECRET_BYTES = 32; // 256 bits: too many to try, so a plain hash is enough to store
const ID_BYTES = 8;
const pattern = /^sk-sluice-([0-9a-f]{16})-[\w-]{43}$/;

const nobody = Buffer.alloc(32);

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
  return { key, hash: sha256(key).toString('hex') };
}

/** The id that a key carries; null where it isn't one of ours. */
export function idOfKey(key: string): string | null {
  return pattern.exec(key)?.[1] ?? null;
}

/**
 * Whether a key is the one recorded. Takes the same time whichever byte differs, and where nothing is recorded
 * (CVE-2025-59425).
 */
export function matches(key: string, record: KeyRecord | undefined, nowMs: number): boolean {
  const hash = sha256(key);
  const isCurrent = timingSafeEqual(hash, stored(record?.hash));
  const isPrevious = timingSafeEqual(hash, stored(record?.previousHash));
  return isCurrent || (isPrevious && (record?.previousUntilMs ?? 0) > nowMs);
}

function stored(hash: string | null | undefined): Buffer {
  return hash ? Buffer.from(hash, 'hex') : nobody;
}

function sha256(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
