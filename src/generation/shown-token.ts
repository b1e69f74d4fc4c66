import { VocabFlag, type VocabTable } from '../native/types.js';
import type { ShownToken } from './types.js';

/** A token's bytes: its own where it brings them, else the vocabulary's. */
export function shownBytes(vocab: VocabTable | null, { token, piece }: ShownToken): Uint8Array {
  return piece ?? (vocab ? tokenBytes(vocab, token) : new Uint8Array(0));
}

export function tokenBytes(vocab: VocabTable, token: number): Uint8Array {
  return vocab.bytes.subarray(vocab.offsets[token], vocab.offsets[token + 1]);
}

/** Bytes that a token adds to the text: none for control tokens. */
export function visibleBytes(vocab: VocabTable, token: number): Uint8Array {
  return (vocab.flags[token] ?? 0) & VocabFlag.control ? new Uint8Array(0) : tokenBytes(vocab, token);
}
