import { type MappedText, MappedTextBuilder } from './mapped-text.js';

/** Single characters with spaces between, "i g n o r e  t h i s": more spaces stand between words. */
const spaced = /(?<!\S)\S(?: {1,3}\S(?!\S)){5,500}/g;
/** The same with another separator: "i.g.n.o.r.e", "i-g-n-o-r-e". */
const separated = /(?<![\p{L}\p{N}])\p{L}([._*~-])\p{L}(?:\1\p{L}){4,60}(?![\p{L}\p{N}])/gu;

/** Words that were spelled out, joined again. Null where there are none. */
export function joinSpelledOut(source: MappedText): MappedText | null {
  const { text } = source;
  const stretches = [...text.matchAll(spaced), ...text.matchAll(separated)].sort((a, b) => a.index - b.index);
  if (stretches.length === 0) return null;
  const builder = new MappedTextBuilder(source);
  let kept = 0;
  for (const { 0: letters, index } of stretches) {
    if (index < kept) continue;
    builder.keep(kept, index);
    for (const { 0: piece, index: at } of letters.matchAll(/ {2,}| |[._*~-](?=\p{L})|[^ ]/gu)) {
      if (piece.length > 1 && piece.startsWith(' ')) builder.keep(index + at, index + at + 1);
      else if (piece !== ' ' && !(/^[._*~-]$/.test(piece) && at % 2 === 1))
        builder.keep(index + at, index + at + piece.length);
    }
    kept = index + letters.length;
  }
  builder.keep(kept, text.length);
  return builder.build();
}
