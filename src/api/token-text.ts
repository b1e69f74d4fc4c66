import { tokenBytes, visibleBytes } from '../generation/shown-token.js';
import type { VocabTable } from '../native/types.js';

const strictUtf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

export function tokenText(vocab: VocabTable, token: number): string {
  return bytesText(tokenBytes(vocab, token));
}

/** A token's text. Tokens that are part of a character are written as OpenAI does, so that no two look the same. */
export function bytesText(bytes: Uint8Array): string {
  try {
    return strictUtf8.decode(bytes);
  } catch {
    return `bytes:${Array.from(bytes, (byte) => `\\x${byte.toString(16).padStart(2, '0')}`).join('')}`;
  }
}

/** Text that tokens stand for, without control tokens; broken UTF-8 is replaced. */
export function textOfTokens(vocab: VocabTable | null, tokens: Int32Array): string {
  if (vocab === null) return '';
  return Buffer.concat(Array.from(tokens, (token) => visibleBytes(vocab, token))).toString('utf8');
}

/** Characters (code points) that begin in these bytes. */
export function charactersBegun(bytes: Uint8Array): number {
  let count = 0;
  for (const byte of bytes) if ((byte & 0xc0) !== 0x80) count += 1;
  return count;
}
