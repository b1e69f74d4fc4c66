import { CodeUnits } from '../../normalise/code-units.js';
import { FOLDS_TOGETHER, folded, foldedUnit } from './characters.js';
import { vocabulary } from './words.js';

let term = new Uint16Array(256);
const foldedWord = new CodeUnits();

/** The term of the word in [start, end). `units` are those of `text`. */
export function termAt(text: string, units: Uint16Array, start: number, end: number): number {
  if (end - start > term.length) term = new Uint16Array(2 * (end - start));
  let length = 0;
  for (let at = start; at < end; at += 1) {
    const unit = foldedUnit(units[at]!);
    if (unit === FOLDS_TOGETHER) {
      const word = folded(text.slice(start, end));
      return vocabulary.of(foldedWord.of(word), word.length);
    }
    term[length] = unit;
    if (unit !== 0) length += 1;
  }
  return vocabulary.of(term, length);
}
