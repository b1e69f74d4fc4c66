const GRAM = 4; // words
const MIN_GRAMS = 8;

/** Share of word 4-grams that were there before, 0 to 1: weak models fall into loops. 0 for short texts. */
export function repetition(text: string): number {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  const count = words.length - GRAM + 1;
  if (count < MIN_GRAMS) return 0;
  const seen = new Set<string>();
  for (let index = 0; index < count; index += 1) seen.add(words.slice(index, index + GRAM).join(' '));
  return 1 - seen.size / count;
}
