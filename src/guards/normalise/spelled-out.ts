import { type MappedText, MappedTextBuilder } from './mapped-text.js';

/** Single characters with spaces between, "i g n o r e  t h i s": more spaces stand between words. */
const spaced = /(?<!\S)\S(?: {1,3}\S(?!\S)){5,500}/g;
/** The same with another separator: "i.g.n.o.r.e", "i-g-n-o-r-e". */
const separated = /(?<![\p{L}\p{N}])\p{L}([._*~-])\p{L}(?:\1\p{L}){4,60}(?![\p{L}\p{N}])/gu;
const SPACE = 0x20;
const separators = new Set([...'._*~-'].map((sign) => sign.charCodeAt(0)));

/** Words that were spelled out, joined again. Null where there are none. */
export function joinSpelledOut(source: MappedText): MappedText | null {
  const { text, units } = source;
  const stretches = [...text.matchAll(spaced), ...text.matchAll(separated)].sort((a, b) => a.index - b.index);
  if (stretches.length === 0) return null;
  const builder = new MappedTextBuilder(source);
  let kept = 0;
  for (const { 0: letters, index } of stretches) {
    if (index < kept) continue;
    builder.keep(kept, index);
    keepLetters(builder, units, index, index + letters.length);
    kept = index + letters.length;
  }
  builder.keep(kept, text.length);
  return builder.build();
}

/** Without what stands between letters; of several spaces one stays. */
function keepLetters(builder: MappedTextBuilder, units: Uint16Array, start: number, end: number): void {
  for (let at = start; at < end; at += 1) {
    const unit = units[at]!;
    if (unit === SPACE) {
      const first = at;
      while (at + 1 < end && units[at + 1] === SPACE) at += 1;
      if (at > first) builder.keep(first, first + 1);
    } else if ((at - start) % 2 === 0 || !separators.has(unit)) builder.keep(at, at + 1);
  }
}
