import type { Item } from './split.js';
import { readTextSet } from './text-set.js';

/** The development set of several authors, each text in its author's group: the digit of its id. */
export function readAuthors(): { attacks: Item[]; benign: Item[] } {
  const { attacks, benign } = readTextSet('guards-authors');
  const byAuthor = (item: Item): Item => ({ ...item, group: item.seed.slice(1, item.seed.indexOf('-')) });
  return { attacks: attacks.map(byAuthor), benign: benign.map(byAuthor) };
}
