import { CodeUnits } from '../../normalise/code-units.js';
import { FOLDS_TOGETHER, folded, foldedUnit } from './characters.js';
import { keyOf, keyWith, NO_KEY } from './vocabulary.js';
import { vocabulary } from './words.js';

let term = new Uint16Array(256);
const foldedWord = new CodeUnits();

/** The term of the word in [start, end). `units` are those of `text`. */
export function termAt(text: string, units: Uint16Array, start: number, end: number): number {
  if (end - start > term.length) term = new Uint16Array(2 * (end - start));
  let length = 0;
  let key = NO_KEY;
  for (let at = start; at < end; at += 1) {
    const unit = foldedUnit(units[at]!);
    if (unit === FOLDS_TOGETHER) return foldedTerm(folded(text.slice(start, end)));
    if (unit === 0) continue;
    term[length] = unit;
    length += 1;
    key = keyWith(key, unit);
  }
  return vocabulary.of(term, length, key);
}

function foldedTerm(word: string): number {
  const units = foldedWord.of(word);
  return vocabulary.of(units, word.length, keyOf(units, word.length));
}
