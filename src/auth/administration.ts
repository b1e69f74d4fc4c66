import { SluiceError } from '../errors.js';
import type { KeyRecord, Limits } from '../store/types.js';
import { generateKey, generateSecret } from './key.js';

/** The store's operations on keys, whether they answer at once (a command) or later (a server). */
export interface KeyStore {
  createKey(record: KeyRecord, limits: Limits): void | Promise<void>;
  revokeKey(id: string, nowMs: number): KeyRecord | Promise<KeyRecord>;
  rotateKey(id: string, hash: string, previousUntilMs: number): KeyRecord | Promise<KeyRecord>;
  setLimits(limits: { scope: string; limits: Limits }): void | Promise<void>;
  limitsOf(scope: string): Limits | null | Promise<Limits | null>;
}

export type KeyRequest = Pick<
  KeyRecord,
  'name' | 'organisation' | 'team' | 'user' | 'isAdmin' | 'models' | 'guardProfile' | 'expiresAtMs'
> & { limits: Limits };

/** A key that has just been made: the only time that it can be shown. */
export interface IssuedKey {
  key: string;
  record: KeyRecord;
  limits: Limits | null;
}

/** Throws invalid_value for a key that would be dead at birth. */
export async function createKey(store: KeyStore, request: KeyRequest, nowMs: number): Promise<IssuedKey> {
  const { limits, ...described } = request;
  if (described.expiresAtMs !== null && described.expiresAtMs <= nowMs) {
    throw new SluiceError('invalid_value', 'expires_at: expected a time in the future', {
      param: 'expires_at',
    });
  }
  const { id, key, hash } = generateKey();
  const record: KeyRecord = {
    id,
    hash,
    previousHash: null,
    previousUntilMs: null,
    createdAtMs: nowMs,
    revokedAtMs: null,
    ...described,
  };
  await store.createKey(record, limits);
  return { key, record, limits };
}

/** Another secret for the same key; the one before stays good for `graceMs`. Throws not_found. */
export async function rotateKey(
  store: KeyStore,
  id: string,
  graceMs: number,
  nowMs: number,
): Promise<IssuedKey> {
  const { key, hash } = generateSecret(id);
  const record = await store.rotateKey(id, hash, nowMs + graceMs);
  return { key, record, limits: await store.limitsOf(`key:${id}`) };
}
