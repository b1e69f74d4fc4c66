import { type MappedText, MappedTextBuilder } from './mapped-text.js';

/** Quoted stretches that a text may ask to put together: a = "ig", b = "nore". */
const quoted =
  /"([^"\n]{1,80})"|(?<![\p{L}\p{N}])'([^'\n]{1,80})'(?![\p{L}\p{N}])|“([^”\n]{1,80})”|«([^»\n]{1,80})»|`([^`\n]{1,80})`/gu;
const askedFor =
  /\+|join|concat|combin|together|merge|assembl|glue|stitch|append|fragment|piece|halves|\$\{|unir|unisci|junta|insieme|zusammen|verbind|kombinier|соедин|склей|объедин|拼|连接|合并|つな|結合/iu;
const MIN_PIECES = 2;
const MAX_PIECES = 40;

/** The quoted pieces of a text behind each other, as written and with a space between. */
export function joinPieces(source: MappedText): MappedText[] {
  const pieces = [...source.text.matchAll(quoted)].slice(0, MAX_PIECES);
  if (pieces.length < MIN_PIECES || !askedFor.test(source.text)) return [];
  return ['', ' '].map((between) => {
    const builder = new MappedTextBuilder(source);
    for (const { 0: piece, index } of pieces) {
      builder.keep(index + 1, index + piece.length - 1);
      if (between !== '') builder.replace(between, index + piece.length - 1, index + piece.length);
    }
    return builder.build();
  });
}
