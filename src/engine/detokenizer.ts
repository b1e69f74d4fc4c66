import { VocabFlag, type VocabTable } from '../native/types.js';

const replacement = '\uFFFD';
const nothing = new Uint8Array(0);
const noTokens: ReadonlySet<number> = new Set();

/**
 * Token pieces as text, shared by all sequences of a model. A piece that is whole UTF-8 by itself is decoded once
 * and remembered; the cache can't outgrow the vocabulary.
 */
export class Pieces {
  private readonly decoder = new TextDecoder('utf-8', { ignoreBOM: true });
  private readonly texts: (string | null | undefined)[];

  constructor(private readonly vocab: VocabTable) {
    this.texts = new Array<string | null | undefined>(vocab.flags.length);
  }

  /** Control and end-of-generation tokens have no text of their own. */
  bytes(token: number): Uint8Array {
    return this.isHidden(token) ? nothing : this.rawBytes(token);
  }

  isHidden(token: number): boolean {
    return (this.vocab.flags[token]! & (VocabFlag.control | VocabFlag.endOfGeneration)) !== 0;
  }

  rawBytes(token: number): Uint8Array {
    return this.vocab.bytes.subarray(this.vocab.offsets[token], this.vocab.offsets[token + 1]);
  }

  /** The piece's text, or null where it isn't whole UTF-8 by itself. */
  text(token: number): string | null {
    let text = this.texts[token];
    if (text === undefined) {
      const bytes = this.bytes(token);
      text = incompleteTail(bytes) > 0 ? null : this.decode(bytes);
      // A lone continuation byte decodes to U+FFFD here, but may complete a character elsewhere.
      if (text?.includes(replacement)) text = null;
      this.texts[token] = text;
    }
    return text;
  }

  decode(bytes: Uint8Array): string {
    return this.decoder.decode(bytes);
  }
}

/**
 * Text of one sequence, token by token. Holds back at most three bytes: a character split over tokens comes out
 * whole. Invalid bytes become U+FFFD exactly as in the WHATWG decoder, so that the pieces joined equal the text
 * of all bytes decoded at once.
 */
export class Detokenizer {
  private pending: Uint8Array = nothing;

  /** `preserved`: control tokens whose text is wanted all the same. */
  constructor(
    private readonly pieces: Pieces,
    private readonly preserved: ReadonlySet<number> = noTokens,
  ) {}

  push(token: number): string {
    if (this.pieces.isHidden(token) && this.preserved.has(token))
      return this.take(this.pieces.rawBytes(token));
    if (this.pending.length === 0) {
      const text = this.pieces.text(token);
      if (text !== null) return text;
    }
    return this.take(this.pieces.bytes(token));
  }

  /** What is left of a character that never became complete. */
  flush(): string {
    const rest = this.pending;
    this.pending = nothing;
    return this.pieces.decode(rest);
  }

  private take(piece: Uint8Array): string {
    const bytes = join(this.pending, piece);
    const end = bytes.length - incompleteTail(bytes);
    this.pending = bytes.slice(end);
    return this.pieces.decode(bytes.subarray(0, end));
  }
}

/** Bytes at the end that begin a character and may yet be completed: 0 to 3. */
function incompleteTail(bytes: Uint8Array): number {
  for (let length = 1; length <= Math.min(3, bytes.length); length++) {
    const at = bytes.length - length;
    if (isContinuation(bytes[at]!)) continue;
    return length < characterLength(bytes[at]!) && validSecondByte(bytes, at) ? length : 0;
  }
  return 0;
}

function isContinuation(byte: number): boolean {
  return (byte & 0xc0) === 0x80;
}

function characterLength(lead: number): number {
  if (lead >= 0xc2 && lead <= 0xdf) return 2;
  if (lead >= 0xe0 && lead <= 0xef) return 3;
  if (lead >= 0xf0 && lead <= 0xf4) return 4;
  return 1;
}

/** Some leads narrow their second byte: no overlong forms, no surrogates, nothing above U+10FFFF (RFC 3629, 4). */
function validSecondByte(bytes: Uint8Array, at: number): boolean {
  const second = bytes[at + 1];
  if (second === undefined) return true;
  switch (bytes[at]) {
    case 0xe0:
      return second >= 0xa0;
    case 0xed:
      return second <= 0x9f;
    case 0xf0:
      return second >= 0x90;
    case 0xf4:
      return second <= 0x8f;
    default:
      return true;
  }
}

function join(a: Uint8Array, b: Uint8Array): Uint8Array {
  if (a.length === 0) return b;
  const joined = new Uint8Array(a.length + b.length);
  joined.set(a);
  joined.set(b, a.length);
  return joined;
}
