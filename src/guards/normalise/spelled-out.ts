import { type MappedText, MappedTextBuilder } from './mapped-text.js';

/** Single letters with the same one or two separators between them: "i g n o r e", "i.g.n.o.r.e", "i-g-n-o-r-e". */
const spelledOut = /(?<![\p{L}\p{N}])\p{L}(?:([ ._*~-])\p{L})(?:\1\p{L}){2,60}(?![\p{L}\p{N}])/gu;
const MIN_LETTERS = 6;

/** Words that were spelled out, joined again; two or more separators stand between words. Null where there are none. */
export function joinSpelledOut(source: MappedText): MappedText | null {
  const { text } = source;
  let builder: MappedTextBuilder | null = null;
  let kept = 0;
  for (const { 0: letters, index } of text.matchAll(spelledOut)) {
    if ((letters.length + 1) / 2 < MIN_LETTERS) continue;
    builder ??= new MappedTextBuilder(source);
    builder.keep(kept, index);
    for (let at = 0; at < letters.length; at += 2) builder.keep(index + at, index + at + 1);
    kept = index + letters.length;
  }
  if (builder === null) return null;
  builder.keep(kept, text.length);
  return builder.build();
}
