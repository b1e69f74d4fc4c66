import { type MappedText, MappedTextBuilder } from './mapped-text.js';

/** A stretch of a text that may be encoded, and what it decodes to. */
interface Decoded {
  start: number;
  end: number;
  text: string;
}

const MIN_DECODED = 8; // characters; shorter ones say nothing
const MAX_SEGMENTS = 16; // of one text: more is data, not a message
const MAX_SEGMENT = 16_384; // characters; the head of a longer one is looked at

const base64 = /(?<![A-Za-z0-9+/_-])[A-Za-z0-9+/_-]{12,}={0,2}/g;
const hex = /(?<![0-9A-Za-z])(?:0x)?(?:[0-9A-Fa-f]{2}[ :]?){7,}[0-9A-Fa-f]{2}(?![0-9A-Za-z])/g;
const escaped = /(?:\\x[0-9A-Fa-f]{2}|\\u[0-9A-Fa-f]{4}){4,}/g;
const binary = /(?<![01])(?:[01]{8} ?){7,}[01]{8}(?![01])/g;

export const decodeBase64 = (source: MappedText) => segments(source, base64, fromBase64);

export const decodeHex = (source: MappedText) =>
  segments(source, hex, (text) => fromBytes(Buffer.from(text.replace(/^0x|[ :]/g, ''), 'hex')));

export const decodeEscapes = (source: MappedText) => segments(source, escaped, fromEscapes);

export const decodeBinary = (source: MappedText) => segments(source, binary, fromBinary);

function segments(
  source: MappedText,
  pattern: RegExp,
  decode: (text: string) => string | null,
): MappedText[] {
  const found: Decoded[] = [];
  for (const { 0: encoded, index } of source.text.matchAll(pattern)) {
    const text = decode(encoded.slice(0, MAX_SEGMENT));
    if (text === null || text.length < MIN_DECODED) continue;
    found.push({ start: index, end: index + encoded.length, text });
    if (found.length === MAX_SEGMENTS) break;
  }
  return found.map(({ start, end, text }) => {
    const builder = new MappedTextBuilder(source);
    builder.replace(text, start, end);
    return builder.build();
  });
}

function fromBase64(text: string): string | null {
  if (/^[A-Za-z]+$/.test(text) && text.length < 24) return null; // a long word
  if (/^[0-9A-Fa-f]+$/.test(text)) return null; // a hash, or hex
  return fromBytes(Buffer.from(text, 'base64'));
}

function fromEscapes(text: string): string | null {
  return readable(
    text.replace(/\\x(..)|\\u(....)/g, (_, byte: string | undefined, unit: string | undefined) =>
      String.fromCharCode(Number.parseInt(byte ?? unit!, 16)),
    ),
  );
}

function fromBinary(text: string): string | null {
  const bits = text.replaceAll(' ', '');
  const bytes = Buffer.alloc(bits.length / 8);
  for (let at = 0; at < bytes.length; at += 1) bytes[at] = Number.parseInt(bits.slice(at * 8, at * 8 + 8), 2);
  return fromBytes(bytes);
}

const UPPER_A = 0x41;
const LOWER_A = 0x61;
const LETTERS = 26;

export function decodeRot13(source: MappedText): MappedText {
  const { units } = source;
  const builder = new MappedTextBuilder(source);
  for (let at = 0; at < units.length; at += 1) {
    const unit = units[at]!;
    const base = unit < LOWER_A ? UPPER_A : LOWER_A;
    const letter = unit - base;
    const isLetter = letter >= 0 && letter < LETTERS;
    builder.replaceBy(isLetter ? base + ((letter + 13) % LETTERS) : unit, at, at + 1);
  }
  return builder.build();
}

function fromBytes(bytes: Buffer): string | null {
  return readable(bytes.toString('utf8'));
}

/** Bytes that were no text show as replacement and control characters. */
function readable(text: string): string | null {
  let odd = 0;
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (code === 0xfffd || code < 9 || (code > 13 && code < 32) || code === 127) odd += 1;
  }
  return odd > text.length / 50 ? null : text;
}
