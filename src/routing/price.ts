/** Dollars per million tokens. */
export interface Price {
  input: number;
  output: number;
  cachedInput: number;
}

/** What our own hardware is taken to cost where nothing is configured: models without a price would look free to `auto`. */
export const notionalLocalPrice: Price = { input: 0.05, output: 0.2, cachedInput: 0.005 };

/** Dear on purpose, so that an upstream whose price nobody stated isn't preferred for it. */
export const unknownUpstreamPrice: Price = { input: 10, output: 30, cachedInput: 10 };

export interface TokenCounts {
  promptTokens: number;
  completionTokens: number;
  cachedTokens: number; // of promptTokens
}

export function costDollars(price: Price, tokens: TokenCounts): number {
  const fresh = tokens.promptTokens - tokens.cachedTokens;
  const total =
    fresh * price.input + tokens.cachedTokens * price.cachedInput + tokens.completionTokens * price.output;
  return total / 1e6;
}
