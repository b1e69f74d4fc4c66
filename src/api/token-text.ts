import { VocabFlag, type VocabTable } from '../native/types.js';

export function tokenBytes(vocab: VocabTable, token: number): Uint8Array {
  return vocab.bytes.subarray(vocab.offsets[token], vocab.offsets[token + 1]);
}

const strictUtf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** A token's text. Tokens that are part of a character are written as OpenAI does, so that no two look the same. */
export function tokenText(vocab: VocabTable, token: number): string {
  const bytes = tokenBytes(vocab, token);
  try {
    return strictUtf8.decode(bytes);
  } catch {
    return `bytes:${Array.from(bytes, (byte) => `\\x${byte.toString(16).padStart(2, '0')}`).join('')}`;
  }
}

/** Text that tokens stand for, without control tokens; broken UTF-8 is replaced. */
export function textOfTokens(vocab: VocabTable, tokens: Int32Array): string {
  return Buffer.concat(Array.from(tokens, (token) => visibleBytes(vocab, token))).toString('utf8');
}

/** Characters (code points) that begin in this token. */
export function charactersBegun(vocab: VocabTable, token: number): number {
  let count = 0;
  for (const byte of visibleBytes(vocab, token)) if ((byte & 0xc0) !== 0x80) count += 1;
  return count;
}

function visibleBytes(vocab: VocabTable, token: number): Uint8Array {
  return (vocab.flags[token] ?? 0) & VocabFlag.control ? new Uint8Array(0) : tokenBytes(vocab, token);
}
