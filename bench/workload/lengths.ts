import { type Random, randomInteger, randomNormal } from './random.js';

/** How many tokens a prompt or an answer has. */
export type LengthDistribution =
  | { kind: 'fixed'; tokens: number }
  | { kind: 'uniform'; low: number; high: number }
  | { kind: 'lognormal'; median: number; sigma: number; high: number };

const MAX_TOKENS = 1_000_000;

/**
 * Lognormals with the means that the PagedAttention paper (SOSP '23, figure 11) gives for ShareGPT, 161 tokens in
 * and 338 out, cut at 1,024 as its benchmark does.
 */
const PRESETS: Record<string, LengthDistribution> = {
  'sharegpt-in': { kind: 'lognormal', median: 78, sigma: 1.2, high: 1024 },
  'sharegpt-out': { kind: 'lognormal', median: 205, sigma: 1, high: 1024 },
};

/** `64`, `uniform:32-128`, `lognormal:median,sigma,high`, `sharegpt-in` or `sharegpt-out`. */
export function parseLengths(text: string): LengthDistribution {
  const preset = PRESETS[text];
  if (preset !== undefined) return preset;
  const fixed = /^(\d+)$/.exec(text);
  if (fixed) return { kind: 'fixed', tokens: tokenCount(fixed[1]!) };
  const uniform = /^uniform:(\d+)-(\d+)$/.exec(text);
  if (uniform) {
    const [low, high] = [tokenCount(uniform[1]!), tokenCount(uniform[2]!)];
    if (low <= high) return { kind: 'uniform', low, high };
  }
  const lognormal = /^lognormal:(\d+),(\d+(?:\.\d+)?),(\d+)$/.exec(text);
  if (lognormal) {
    const [median, high] = [tokenCount(lognormal[1]!), tokenCount(lognormal[3]!)];
    return { kind: 'lognormal', median, sigma: Number(lognormal[2]), high };
  }
  throw new RangeError(
    `"${text}" is no length: write 64, uniform:32-128, lognormal:median,sigma,high, or ${Object.keys(PRESETS).join(', ')}.`,
  );
}

/** At least one token. */
export function sampleLength(lengths: LengthDistribution, random: Random): number {
  switch (lengths.kind) {
    case 'fixed':
      return lengths.tokens;
    case 'uniform':
      return randomInteger(random, lengths.low, lengths.high);
    case 'lognormal': {
      const tokens = Math.round(lengths.median * Math.exp(lengths.sigma * randomNormal(random)));
      return Math.min(Math.max(tokens, 1), lengths.high);
    }
  }
}

export function longest(lengths: LengthDistribution): number {
  return lengths.kind === 'fixed' ? lengths.tokens : lengths.high;
}

function tokenCount(digits: string): number {
  const tokens = Number(digits);
  if (tokens < 1 || tokens > MAX_TOKENS)
    throw new RangeError(`A length is 1 to ${MAX_TOKENS} tokens, not ${digits}.`);
  return tokens;
}
