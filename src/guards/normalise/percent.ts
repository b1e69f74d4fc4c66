import { type MappedText, MappedTextBuilder } from './mapped-text.js';

const PERCENT = 0x25;
const MIN_PERCENTS = 2; // bytes; a single one is a link's space

/** "%69gnore": null where there is little of it. */
export function decodeUrl(source: MappedText): MappedText | null {
  const { text, units } = source;
  const builder = new MappedTextBuilder(source);
  let kept = 0;
  let bytes = 0;
  for (let at = text.indexOf('%'); at !== -1; at = text.indexOf('%', at + 1)) {
    const end = percentsEnd(units, at);
    if (end === at) continue;
    builder.keep(kept, at);
    writeBytes(builder, source, at, end);
    bytes += (end - at) / 3;
    kept = end;
    at = end - 1;
  }
  if (bytes < MIN_PERCENTS) return null;
  builder.keep(kept, text.length);
  return builder.build();
}

/** Where the bytes that begin at `start` with a percent sign each end. */
function percentsEnd(units: Uint16Array, start: number): number {
  let end = start;
  while (units[end] === PERCENT && byteAt(units, end + 1) >= 0) end += 3;
  return end;
}

/** A character for each byte, where it is one. */
function writeBytes(
  builder: MappedTextBuilder,
  { text, units }: MappedText,
  start: number,
  end: number,
): void {
  let isAscii = true;
  for (let at = start; at < end && isAscii; at += 3) isAscii = byteAt(units, at + 1) < 0x80;
  if (isAscii) {
    for (let at = start; at < end; at += 3) builder.replaceBy(byteAt(units, at + 1), at, at + 3);
    return;
  }
  const decoded = Buffer.from(text.slice(start, end).replaceAll('%', ''), 'hex').toString('utf8');
  if (decoded.length * 3 === end - start)
    for (let at = 0; at < decoded.length; at += 1)
      builder.replaceBy(decoded.charCodeAt(at), start + at * 3, start + at * 3 + 3);
  else builder.replace(decoded, start, end);
}

/** Of two hexadecimal digits; −1 where they aren't. */
function byteAt(units: Uint16Array, at: number): number {
  const high = hexDigit(units[at]);
  const low = hexDigit(units[at + 1]);
  return high < 0 || low < 0 ? -1 : high * 16 + low;
}

/** Its value, or −1. */
function hexDigit(unit: number | undefined): number {
  if (unit === undefined) return -1;
  if (unit >= 0x30 && unit <= 0x39) return unit - 0x30;
  const letter = unit | 0x20;
  return letter >= 0x61 && letter <= 0x66 ? letter - 0x61 + 10 : -1;
}
