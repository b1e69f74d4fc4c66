import { anyLookAlike, looksLike } from './confusables.js';
import { MappedText, MappedTextBuilder } from './mapped-text.js';

/** Soft hyphen, joiners, fillers, zero-width, bidi controls and isolates, variation selectors, BOM, annotations; the tags that hide no ASCII. */
const invisible: readonly (readonly [number, number])[] = [
  [0xad, 0xad],
  [0x34f, 0x34f],
  [0x61c, 0x61c],
  [0x115f, 0x1160],
  [0x17b4, 0x17b5],
  [0x180b, 0x180f],
  [0x200b, 0x200f],
  [0x202a, 0x202e],
  [0x2060, 0x206f],
  [0x3164, 0x3164],
  [0xfe00, 0xfe0f],
  [0xfeff, 0xfeff],
  [0xffa0, 0xffa0],
  [0xfff9, 0xfffb],
  [0xe0000, 0xe001f],
  [0xe007f, 0xe01ef],
];
/** A base with the marks and conjoining jamo that may compose with it: what NFKC works on. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: ASCII that nothing composes with needs no work
const unusual = /[\u0000-\u007f][\p{M}\u1160-\u11ff]+|[^\p{M}\u0000-\u007f][\p{M}\u1160-\u11ff]*|\p{M}+/gu;
const word = /\p{L}+/gu;
// biome-ignore lint/suspicious/noControlCharactersInRegex: ASCII is what needs no change
const onlyAscii = /^[\u0000-\u007f]*$/;
const FIRST_TAG = 0xe0020;
const LAST_TAG = 0xe007e;
const TAG_OFFSET = 0xe0000;
const HIGH_HALF_OF_TAGS = 0xdb40; // and of further variation selectors

/**
 * The text as a reader sees it: NFKC, without invisible characters and bidi controls, tag characters as the ASCII
 * they hide, look-alike letters as Latin ones in words that have Latin letters too. Every step looks at one word at most, so that
 * a text's beginning gives the same whatever follows.
 */
export function plainText(text: string): MappedText {
  if (onlyAscii.test(text)) return MappedText.identity(text);
  return foldLookAlikes(compose(text));
}

function compose(text: string): MappedText {
  if (!hasInvisible(text) && text.normalize('NFKC') === text) return MappedText.identity(text);
  const builder = new MappedTextBuilder(MappedText.identity(text));
  let kept = 0;
  for (const { 0: characters, index } of text.matchAll(unusual)) {
    const seen = visible(characters);
    if (seen === characters) continue;
    builder.keep(kept, index);
    kept = index + characters.length;
    builder.replace(seen, index, kept);
  }
  builder.keep(kept, text.length);
  return builder.build();
}

function visible(characters: string): string {
  let seen = '';
  for (const character of characters) {
    const code = character.codePointAt(0)!;
    if (code >= FIRST_TAG && code <= LAST_TAG) seen += String.fromCharCode(code - TAG_OFFSET);
    else if (!isInvisible(code)) seen += character;
  }
  return seen.normalize('NFKC');
}

function hasInvisible(text: string): boolean {
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (code > 0x7f && (isInvisible(code) || code === HIGH_HALF_OF_TAGS)) return true;
  }
  return false;
}

function isInvisible(code: number): boolean {
  return code > 0x7f && invisible.some(([first, last]) => code >= first && code <= last);
}

function foldLookAlikes(source: MappedText): MappedText {
  const { text } = source;
  if (!anyLookAlike.test(text)) return source;
  let builder: MappedTextBuilder | null = null;
  let kept = 0;
  for (const { 0: letters, index } of text.matchAll(word)) {
    if (!/[A-Za-z]/.test(letters) || onlyAscii.test(letters)) continue;
    let at = index;
    for (const letter of letters) {
      const latin = looksLike(letter);
      if (latin !== undefined) {
        builder ??= new MappedTextBuilder(source);
        builder.keep(kept, at);
        builder.replace(latin, at, at + letter.length);
        kept = at + letter.length;
      }
      at += letter.length;
    }
  }
  if (builder === null) return source;
  builder.keep(kept, text.length);
  return builder.build();
}
