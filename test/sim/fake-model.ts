import { VocabFlag, type VocabTable } from '../../src/native/types.js';
import { mix } from './random.js';

export const eosToken = 0;

/** Pieces with letters, the three bytes of "€" apart, bytes that are never valid, and a control token. */
const pieces: number[][] = [
  [], // end of generation
  ...Array.from('abcd', (letter) => [letter.charCodeAt(0)]),
  [0x61, 0x62],
  [0x62, 0x63, 0x20],
  [0xe2],
  [0x82],
  [0xac],
  [0xff],
  [0xf0, 0x9f, 0x98],
  [0x80],
  [0xc3, 0xa9],
  [0x3c, 0x63, 0x74, 0x6c, 0x3e], // "<ctl>", a control token
];
export const controlToken = pieces.length - 1;

export const vocabSize = pieces.length;

export const vocab: VocabTable = {
  bytes: Uint8Array.from(pieces.flat()),
  offsets: Uint32Array.from([[], ...pieces], (_, token) => pieces.slice(0, token).flat().length),
  flags: Uint8Array.from(pieces, (_, token) => {
    if (token === eosToken) return VocabFlag.control | VocabFlag.endOfGeneration;
    return token === controlToken ? VocabFlag.control : 0;
  }),
};

const emptyHash = 0x12345678;

/** What the fake model knows of a token history. */
export function hashOf(tokens: Int32Array): number {
  return tokens.reduce(mix, emptyHash);
}

export function extendHash(hash: number | null, token: number): number {
  return mix(hash ?? emptyHash, token);
}

/**
 * The model's next token: a function of the whole history, the seed and how many were drawn before, of nothing else.
 * Under every third seed it mostly repeats itself, so that there is something to guess.
 */
export function nextToken(hash: number, seed: number, drawn: number, ignoreEos: boolean): number {
  const value = mix(mix(hash, seed), drawn);
  if (!ignoreEos && value % 24 === 0) return eosToken;
  if (seed % 3 === 0 && value % 8 !== 1) return 1 + (drawn % 5);
  return 1 + (mix(value, 1) % (vocabSize - 1));
}

export function logprobOf(hash: number, token: number): number {
  return Math.fround(-(mix(hash, token + 1_000) % 1_000) / 64);
}
