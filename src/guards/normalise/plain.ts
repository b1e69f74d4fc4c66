import { CodeUnits } from './code-units.js';
import { looksLike } from './confusables.js';
import { MappedText, MappedTextBuilder } from './mapped-text.js';
import {
  isInvisible,
  isTag,
  kindAt,
  kindBefore,
  taggedUnit,
  Unit,
  unitKind,
  unitsAt,
  unitsBefore,
} from './units.js';

/** A base with the marks and conjoining jamo that may compose with it: what NFKC works on. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: ASCII that nothing composes with needs no work
const unusual = /[\u0000-\u007f][\p{M}\u1160-\u11ff]+|[^\p{M}\u0000-\u007f][\p{M}\u1160-\u11ff]*|\p{M}+/uy;
// biome-ignore lint/suspicious/noControlCharactersInRegex: ASCII is what needs no change
const onlyAscii = /^[\u0000-\u007f]*$/;
const ASCII = 0x80;
const CHANGING = Unit.half | Unit.composes | Unit.changes;

const codeUnits = new CodeUnits();

/**
 * The text as a reader sees it: NFKC, without invisible characters and bidi controls, tag characters as the ASCII
 * they hide, look-alike letters as Latin ones in words that have Latin letters too. Every step looks at one word at most, so that
 * a text's beginning gives the same whatever follows.
 */
export function plainText(text: string): MappedText {
  if (onlyAscii.test(text)) return MappedText.identity(text);
  const seen = kindsIn(text);
  const composed = seen & CHANGING ? compose(text) : MappedText.identity(text);
  return composed.isIdentity && !(seen & Unit.lookAlike) ? composed : foldLookAlikes(composed);
}

/** What there is of unusual characters. */
function kindsIn(text: string): number {
  const units = codeUnits.of(text);
  let kinds = 0;
  for (let at = 0; at < text.length; at += 1) if (units[at]! >= ASCII) kinds |= unitKind(units[at]!);
  return kinds;
}

function compose(text: string): MappedText {
  const source = MappedText.identity(text);
  let builder: MappedTextBuilder | null = null;
  let kept = 0;
  for (let at = 0; at < text.length; ) {
    const unchanged = unchangedAt(text, at);
    if (unchanged > 0) {
      at += unchanged;
      continue;
    }
    if (unitKind(text.charCodeAt(at)) & Unit.hidden && nothingComposesAt(text, at + 1)) {
      builder ??= new MappedTextBuilder(source);
      builder.keep(kept, at);
      at += 1;
      kept = at;
      continue;
    }
    unusual.lastIndex = at;
    const characters = unusual.exec(text)?.[0] ?? text[at]!;
    const end = at + characters.length;
    const seen = visible(characters);
    if (seen !== characters) {
      builder ??= new MappedTextBuilder(source);
      builder.keep(kept, at);
      builder.replace(seen, at, end);
      kept = end;
    }
    at = end;
  }
  if (builder === null) return source;
  builder.keep(kept, text.length);
  return builder.build();
}

/** The units of a character that is seen as it is written, if nothing after it composes with it; else 0. */
function unchangedAt(text: string, at: number): number {
  const isAscii = text.charCodeAt(at) < ASCII;
  if (!isAscii && kindAt(text, at) & CHANGING) return 0;
  const length = isAscii ? 1 : unitsAt(text, at);
  return nothingComposesAt(text, at + length) ? length : 0;
}

function nothingComposesAt(text: string, at: number): boolean {
  return at >= text.length || text.charCodeAt(at) < ASCII || !(kindAt(text, at) & Unit.composes);
}

function visible(characters: string): string {
  let seen = '';
  for (const character of characters) {
    const code = character.codePointAt(0)!;
    if (isTag(code)) seen += String.fromCharCode(taggedUnit(code));
    else if (!isInvisible(code)) seen += character;
  }
  return seen.normalize('NFKC');
}

function foldLookAlikes(source: MappedText): MappedText {
  const { text } = source;
  let builder: MappedTextBuilder | null = null;
  let kept = 0;
  for (let at = 0; at < text.length; at += 1) {
    const unit = text.charCodeAt(at);
    if (unit < ASCII || !(unitKind(unit) & Unit.lookAlike)) continue;
    const end = wordEnd(text, at);
    const start = wordStart(text, at);
    if (/[A-Za-z]/.test(text.slice(start, end))) {
      for (; at < end; at += 1) {
        const latin = looksLike(text[at]!);
        if (latin === undefined) continue;
        builder ??= new MappedTextBuilder(source);
        builder.keep(kept, at);
        builder.replace(latin, at, at + 1);
        kept = at + 1;
      }
    }
    at = end - 1;
  }
  if (builder === null) return source;
  builder.keep(kept, text.length);
  return builder.build();
}

function wordStart(text: string, at: number): number {
  let start = at;
  while (kindBefore(text, start) & Unit.letter) start -= unitsBefore(text, start);
  return start;
}

function wordEnd(text: string, at: number): number {
  let end = at;
  while (kindAt(text, end) & Unit.letter) end += unitsAt(text, end);
  return end;
}
