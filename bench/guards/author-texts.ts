import type { Item } from './split.js';
import { readTextSet } from './text-set.js';

/** A text of one of those who write for training and testing without knowing the guards. */
export interface AuthorText {
  text: string;
  isAttack: boolean;
  language: string;
  author: string; // '3', or 'of guards-blind'
  /** Calibration and threshold come from it; the classifier never learns from it, the probe only afterwards. */
  isLeftOut: boolean;
}

/** Direct attacks, those in natural words, and a mix in twelve languages. */
const LEFT_OUT: readonly string[] = ['1', '6', 'of guards-blind'];
/** No longer for testing; nobody has read them all the same. */
const USED_UP_SETS = ['guards-blind', 'guards-blind-2'];

export function readAuthorTexts(): AuthorText[] {
  return [
    ...authorTexts('guards-authors', ({ seed }) => seed.slice(1, seed.indexOf('-'))), // of ids such as a3-017
    ...USED_UP_SETS.flatMap((set) => authorTexts(set, () => `of ${set}`)),
  ];
}

/** What the classifier hasn't learnt from, in its author's group. */
export function leftOutItems(): { attacks: Item[]; benign: Item[] } {
  const texts = readAuthorTexts().filter(({ isLeftOut }) => isLeftOut);
  const items = (wanted: boolean) =>
    texts
      .filter(({ isAttack }) => isAttack === wanted)
      .map(
        ({ text, language, author }): Item => ({ text, language, group: author, split: 'test', seed: '' }),
      );
  return { attacks: items(true), benign: items(false) };
}

function authorTexts(set: string, authorOf: (item: Item) => string): AuthorText[] {
  const { attacks, benign } = readTextSet(set);
  const label = (isAttack: boolean) => (item: Item) => {
    const author = authorOf(item);
    return {
      text: item.text,
      isAttack,
      language: item.language,
      author,
      isLeftOut: LEFT_OUT.includes(author),
    };
  };
  return [...attacks.map(label(true)), ...benign.map(label(false))];
}
