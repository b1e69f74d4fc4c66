import { type MappedText, MappedTextBuilder } from './mapped-text.js';

const letters: Record<string, string> = {
  '0': 'o',
  '1': 'i',
  '3': 'e',
  '4': 'a',
  '5': 's',
  '7': 't',
  '8': 'b',
  '9': 'g',
  '@': 'a',
  $: 's',
  '!': 'i',
  '|': 'i',
  '+': 't',
};
/** With a digit or sign among its letters; an e-mail's @ or a sum is no word of this kind. */
const leetWord = /(?<![\w@$!|+.])(?=[A-Za-z_]{0,23}[\d@$!|+])[\w@$!|+]{3,24}(?![\w@$|+])/g;
const MIN_WORDS = 2;

/** Words such as "1gn0r3" with the letters meant, or null where the text has hardly any. */
export function fromLeetspeak(source: MappedText): MappedText | null {
  const { text } = source;
  const all = [...text.matchAll(leetWord)];
  if (all.filter(([word]) => isLeet(word)).length < MIN_WORDS) return null;
  const words = all.filter(([word]) => isLeet(word) || isMixed(word));
  const builder = new MappedTextBuilder(source);
  let kept = 0;
  for (const { 0: word, index } of words) {
    builder.keep(kept, index);
    for (let at = 0; at < word.length; at += 1)
      builder.replace(letters[word[at]!] ?? word[at]!, index + at, index + at + 1);
    kept = index + word.length;
  }
  builder.keep(kept, text.length);
  return builder.build();
}

/** In a text that has leet words anyway. */
const isMixed = (word: string) => /[A-Za-z]/.test(word) && /\d/.test(word);

/** Letters and stand-ins alternate; "sha256", "2nd" and "20kg" hold all of theirs in one place, "A1" is too short to say. */
function isLeet(word: string): boolean {
  if (!/[A-Za-z]/.test(word)) return /^[013457@$!|+]{4,}$/.test(word) && /[@$!|+]/.test(word);
  if (/^[A-Za-z]+!*$/.test(word)) return false;
  return /[A-Za-z][013457@$!|+]+[A-Za-z]|^[013457@$!|+]{1,2}[a-z]{2,}|[013457@$|+][a-z][013457@$|+]/i.test(
    word,
  );
}
