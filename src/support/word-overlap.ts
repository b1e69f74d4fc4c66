/** Lower case, without punctuation, articles and runs of space, as SQuAD compares answers (Rajpurkar et al. 2016). */
export function normalised(text: string): string {
  return text
    .toLowerCase()
    .normalize('NFKC')
    .replace(/[\p{P}\p{S}]/gu, ' ')
    .replace(/\b(a|an|the)\b/g, ' ')
    .replace(/\s+/g, ' ')
    .trim();
}

export function words(text: string): string[] {
  return normalised(text).split(' ').filter(Boolean);
}

/** F-measure over the n-grams of two texts, 0 to 1. */
export function overlap(a: readonly string[], b: readonly string[], size: number): number {
  const left = new Map<string, number>();
  for (const gram of grams(a, size)) left.set(gram, (left.get(gram) ?? 0) + 1);
  let common = 0;
  for (const gram of grams(b, size)) {
    const count = left.get(gram) ?? 0;
    if (count === 0) continue;
    left.set(gram, count - 1);
    common += 1;
  }
  return fMeasure(common, Math.max(0, a.length - size + 1), Math.max(0, b.length - size + 1));
}

/** Two texts with nothing in them are the same. */
export function fMeasure(common: number, a: number, b: number): number {
  return a + b === 0 ? 1 : (2 * common) / (a + b);
}

function grams(list: readonly string[], size: number): string[] {
  return Array.from({ length: Math.max(0, list.length - size + 1) }, (_, at) =>
    list.slice(at, at + size).join(' '),
  );
}
