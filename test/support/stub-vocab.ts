import { VocabFlag, type VocabTable } from '../../src/native/types.js';

/** Tokens 0–255 are bytes; two control tokens follow. */
export const BOS = 256;
export const EOS = 257;
export const VOCAB_SIZE = 258;

const CONTROL_TEXT = ['<bos>', '<eos>'];

export function stubVocab(): VocabTable {
  const pieces = [
    ...Array.from({ length: 256 }, (_, byte) => Uint8Array.of(byte)),
    ...CONTROL_TEXT.map(utf8),
  ];
  const offsets = new Uint32Array(VOCAB_SIZE + 1);
  for (const [index, piece] of pieces.entries()) offsets[index + 1] = offsets[index]! + piece.length;
  const flags = new Uint8Array(VOCAB_SIZE);
  flags[BOS] = VocabFlag.control;
  flags[EOS] = VocabFlag.control | VocabFlag.endOfGeneration;
  return { bytes: Buffer.concat(pieces), offsets, flags };
}

export function tokensOf(text: string, addBos: boolean): Int32Array {
  return Int32Array.from([...(addBos ? [BOS] : []), ...Buffer.from(text)]);
}

export function textOf(tokens: Int32Array, special: boolean): string {
  const pieces = Array.from(tokens, (token) => {
    return token < 256 ? Uint8Array.of(token) : utf8(special ? CONTROL_TEXT[token - 256]! : '');
  });
  return Buffer.concat(pieces).toString('utf8');
}

function utf8(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}
