import { type MappedText, MappedTextBuilder, type Span } from './mapped-text.js';

/** A stretch of a text that may be encoded, and what it decodes to. */
interface Decoded {
  start: number;
  end: number;
  text: string;
}

const MIN_DECODED = 8; // characters; shorter ones say nothing
const MAX_SEGMENTS = 16; // of one text: more is data, not a message
const MAX_SEGMENT = 16_384; // characters; the head of a longer one is looked at

const hex = /(?<![0-9A-Za-z])(?:0x)?(?:[0-9A-Fa-f]{2}[ :]?){7,}[0-9A-Fa-f]{2}(?![0-9A-Za-z])/g;
const escaped = /(?:\\x[0-9A-Fa-f]{2}|\\u[0-9A-Fa-f]{4}){4,}/g;
const binary = /(?<![01])(?:[01]{8} ?){7,}[01]{8}(?![01])/g;

const ASCII = 0x80;
const asciiOf = (pattern: RegExp) =>
  Uint8Array.from({ length: ASCII }, (_, unit) => Number(pattern.test(String.fromCharCode(unit))));
const isOfHex = asciiOf(/[0-9A-Fa-f :]/);
const MIN_HEX = 16; // units
const isOfBinary = asciiOf(/[01 ]/);
const MIN_BINARY = 64;

export const decodeBase64 = (source: MappedText) => segments(source, base64Runs(source.units), fromBase64);

export const decodeHex = (source: MappedText) =>
  hasRun(source.units, isOfHex, MIN_HEX) ? segments(source, matches(source, hex), fromHex) : [];

export const decodeEscapes = (source: MappedText) => segments(source, matches(source, escaped), fromEscapes);

export const decodeBinary = (source: MappedText) =>
  hasRun(source.units, isOfBinary, MIN_BINARY) ? segments(source, matches(source, binary), fromBinary) : [];

function segments(
  source: MappedText,
  encoded: Iterable<Span>,
  decode: (text: string) => string | null,
): MappedText[] {
  const found: Decoded[] = [];
  for (const { start, end } of encoded) {
    const text = decode(source.text.slice(start, Math.min(end, start + MAX_SEGMENT)));
    if (text === null || text.length < MIN_DECODED) continue;
    found.push({ start, end, text });
    if (found.length === MAX_SEGMENTS) break;
  }
  return found.map(({ start, end, text }) => {
    const builder = new MappedTextBuilder(source);
    builder.replace(text, start, end);
    return builder.build();
  });
}

/** Whether so many of these units stand in a row: quicker than a pattern that finds nothing. */
function hasRun(units: Uint16Array, isOf: Uint8Array, length: number): boolean {
  let run = 0;
  for (let at = 0; at < units.length && run < length; at += 1)
    run = units[at]! < ASCII && isOf[units[at]!] === 1 ? run + 1 : 0;
  return run >= length;
}

function* matches({ text }: MappedText, pattern: RegExp): Generator<Span> {
  for (const { 0: match, index: start } of text.matchAll(pattern)) yield { start, end: start + match.length };
}

const MIN_BASE64 = 12;
const MAX_PADDING = 2;
const PADDING = 0x3d;
const isOfBase64 = asciiOf(/[A-Za-z0-9+/_-]/);

/** Each run as a whole, with its padding: unit by unit, since most of a text is looked at, and most runs are words. */
function* base64Runs(units: Uint16Array): Generator<Span> {
  for (let start = 0; start < units.length; start += 1) {
    let end = start;
    while (end < units.length && units[end]! < ASCII && isOfBase64[units[end]!] === 1) end += 1;
    const isLong = end - start >= MIN_BASE64;
    const most = end + MAX_PADDING;
    while (isLong && end < most && units[end] === PADDING) end += 1;
    if (isLong) yield { start, end };
    start = end;
  }
}

function fromBase64(text: string): string | null {
  if (/^[A-Za-z]+$/.test(text) && text.length < 24) return null; // a long word
  if (/^[0-9A-Fa-f]+$/.test(text)) return null; // a hash, or hex
  return fromBytes(Buffer.from(text, 'base64'));
}

function fromHex(text: string): string | null {
  return fromBytes(Buffer.from(text.replace(/^0x|[ :]/g, ''), 'hex'));
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
