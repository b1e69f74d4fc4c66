import type { Span } from '../../normalise/mapped-text.js';
import type { Words } from '../words/words.js';

const gap = '\\s{1,3}';
const order = (verbs: string, between: string, object: string) =>
  `\\b(?:${verbs})${gap}(?:(?:${between})${gap}){0,3}${object}`;

/** What everyone writes who tries it for the first time: "ignore all previous instructions". */
const orders = [
  order(
    'ignore|disregard|forget',
    'all|any|every|the|of|your|these|those',
    `(?:previous|prior|preceding|earlier|above|foregoing)${gap}(?:instructions?|prompts?|guidelines|directi(?:ve|on)s?|rules|orders|commands)\\b`,
  ),
  order(
    'ignoriere|ignorieren|vergiss|vergessen|missachte|missachten',
    'sie|alle|sämtliche|die|deine|ihre',
    `(?:vorherigen|bisherigen|vorigen|früheren|obigen|vorangegangenen)${gap}(?:anweisungen|instruktionen|regeln|vorgaben|befehle)\\b`,
  ),
  order(
    'ignorez?|oubliez?',
    'toutes|les|tes|vos',
    `(?:instructions|consignes|règles|directives)${gap}(?:précédentes|antérieures|ci-dessus)`,
  ),
  order(
    'ignora|ignore|olvida|olvide',
    'todas|las|tus|sus',
    `(?:instrucciones|reglas|indicaciones|órdenes)${gap}(?:anteriores|previas)\\b`,
  ),
  order(
    'ignora|ignore|esqueça|esquece',
    'todas|as|suas|tuas',
    `(?:instruções|regras|ordens)${gap}(?:anteriores|prévias)`,
  ),
  order(
    'ignora|ignori|dimentica|dimentichi',
    'tutte|le|tue|sue',
    `(?:istruzioni|regole|indicazioni)${gap}(?:precedenti|anteriori)\\b`,
  ),
];

/** … whose, is another matter: "ignore the previous rules of the table". */
const ofSomething = `(?!${gap}(?:of|on|about|de|del|des|du|der|di|della|da|do)\\b)`;

const orderToIgnore = new RegExp(`(?:${orders.join('|')})${ofSomething}`, 'gi');
/** In every order, and quicker to look for. */
const verb = /ignor|disregard|forget|vergiss|vergess|missacht|oublie|olvid|esque|dimentic/i;

/** Places that read like an order, whoever gives it. */
export function ordersToIgnore(text: string): Span[] {
  if (!verb.test(text)) return [];
  return Array.from(text.matchAll(orderToIgnore), ({ 0: found, index }) => ({
    start: index,
    end: index + found.length,
  }));
}

/** As in the vocabulary. */
const leadIns = new Set(
  'please now just and then so but ok okay hey first instead bitte jetzt nun maintenant por favor ahora agora ora'.split(
    ' ',
  ),
);

/** Whether the word begins a sentence, or what leads to it does: "Now please …". Who tells of an order doesn't begin with it. */
export function isSaid(words: Words, word: number): boolean {
  if (words.isQuoted(word)) return false;
  let first = word;
  while (!words.startsSentence(first) && first > 0 && leadIns.has(words.textOf(first - 1))) first -= 1;
  return words.startsSentence(first);
}
