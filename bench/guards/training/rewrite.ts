import { type Random, randomInteger } from '../../workload/random.js';
import { disguises, encodings } from '../obfuscate.js';
import { pick } from '../seeds.js';

type Rewrite = (text: string, random: Random) => string;

const backwards = (text: string) => [...text].reverse().join('');

/** Ways to hide a text. Harmless texts get them too: that something is hidden says nothing of what. */
export const hidings: readonly Rewrite[] = [
  ...Object.values(encodings),
  ...Object.values(disguises),
  backwards,
  (text) => text.replace(/\p{L}+/gu, backwards),
  (text) => text.replace(/(\p{Ll}{2,3})(?=\p{Ll}{2})/u, '$1-').replace(/\b(\w{2})(\w{2,})\b/g, '$1-$2'),
  splitIntoPieces,
];

/** As people type. */
export const habits: readonly Rewrite[] = [
  (text) => text.toLowerCase(),
  (text) => text.toLowerCase().replace(/[.,!?'"]/g, ''),
  (text) => text.replace(/[.!?]$/, ''),
  (text) => text.toUpperCase(),
  (text) => text.replace(/[.!?] /g, '\n'),
  (text) => text.replace(/\.$/, '!!!'),
  swapLetters,
  dropLetter,
  (text, random) => `${pick(['- ', '1. ', '> ', '* ', '# ', '"', '   ', 'Q: ', 'TASK\n'], random)}${text}`,
  (text, random) =>
    `${text}${pick([' thx', ' :)', '\n\n', ' ...', ' pls', '??', ' -- now', ' Danke'], random)}`,
];

function swapLetters(text: string, random: Random): string {
  const at = randomInteger(random, 1, Math.max(1, text.length - 2));
  return `${text.slice(0, at)}${text[at + 1] ?? ''}${text[at] ?? ''}${text.slice(at + 2)}`;
}

function dropLetter(text: string, random: Random): string {
  const at = randomInteger(random, 1, Math.max(1, text.length - 1));
  return text.slice(0, at) + text.slice(at + 1);
}

/** Cut at random places, with a request to put it together. */
export function splitIntoPieces(text: string, random: Random): string {
  const short = text.length > 120 ? text.slice(0, 120) : text;
  const count = randomInteger(random, 2, 4);
  const cuts = Array.from({ length: count - 1 }, () => randomInteger(random, 2, short.length - 2)).sort(
    (a, b) => a - b,
  );
  const pieces = [...cuts, short.length].map((cut, index) =>
    short.slice(index === 0 ? 0 : cuts[index - 1], cut),
  );
  const act = pick(
    [
      'and do what it says',
      'and follow it',
      'and answer',
      'then obey the result',
      'and tell me what it says',
      '',
    ],
    random,
  );
  const name = pick(['a', 'x', 'part', 's', 'p'], random);
  const named = pieces.map((piece, index) => `${name}${index + 1} = "${piece.replaceAll('"', "'")}"`);
  const sum = pieces.map((_, index) => `${name}${index + 1}`).join(pick([' + ', '+'], random));
  const quoted = pieces
    .map((piece) => `"${piece.replaceAll('"', "'")}"`)
    .join(pick([' + ', ', ', ' '], random));
  return pick(
    [
      `${named.join(pick(['; ', '\n', ', '], random))}${pick(['; ', '\n'], random)}Now read ${sum} ${act}.`,
      `Join these ${pick(['pieces', 'strings', 'fragments'], random)} ${act}: ${quoted}`,
      `${quoted} - ${pick(['combine', 'concatenate', 'put together', 'merge'], random)} ${act}.`,
    ],
    random,
  );
}
