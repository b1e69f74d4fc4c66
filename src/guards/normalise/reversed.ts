import { type MappedText, MappedTextBuilder } from './mapped-text.js';

/** Each line from its end to its beginning. A character's span is its line: what it says stands nowhere in between. */
export function reverseLines(source: MappedText): MappedText {
  const builder = new MappedTextBuilder(source);
  for (const { 0: line, index } of source.text.matchAll(/[^\n]+|\n/g))
    builder.replace([...line].reverse().join(''), index, index + line.length);
  return builder.build();
}

/** Each word from its end to its beginning. */
export function reverseWords(source: MappedText): MappedText {
  const builder = new MappedTextBuilder(source);
  for (const { 0: piece, index } of source.text.matchAll(/\p{L}+|\P{L}+/gu)) {
    if (/^\P{L}/u.test(piece)) builder.keep(index, index + piece.length);
    else builder.replace([...piece].reverse().join(''), index, index + piece.length);
  }
  return builder.build();
}
