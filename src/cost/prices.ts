import type { PriceSource } from '../store/types.js';

/** Dollars per million tokens, as people write them. */
export interface PriceEntry {
  input: number;
  output: number;
  cachedInput?: number | undefined; // absent: as input
}

/** What one request's tokens cost. */
export interface Price {
  source: PriceSource;
  inputPicodollars: number; // per token; whole
  outputPicodollars: number;
  cachedPicodollars: number;
}

export interface TokenCounts {
  promptTokens: number;
  completionTokens: number;
  cachedTokens: number; // part of the prompt
}

/** What a model's answers to one request have cost. */
export interface ModelCost {
  price: Price;
  nanodollars: number;
}

/** What has to be known of a model to price it. */
export interface PricedModel {
  id: string;
  isLocal: boolean;
  price?: PriceEntry | undefined; // its own, where it is configured with one
}

const PICODOLLARS_PER_NANODOLLAR = 1000;

/**
 * Prices by model: its own, else the table's; else what local models cost, if it is one, and for others the default, which is
 * dear: a model whose price nobody stated must not be preferred for it.
 */
export class PriceTable {
  readonly #table: ReadonlyMap<string, Price>;
  readonly #local: Price;
  readonly #default: Price;

  constructor(
    table: Readonly<Record<string, PriceEntry>>,
    fallback: { local: PriceEntry; unknown: PriceEntry },
  ) {
    this.#table = new Map(Object.entries(table).map(([model, entry]) => [model, priceOf(entry, 'table')]));
    this.#local = priceOf(fallback.local, 'local');
    this.#default = priceOf(fallback.unknown, 'default');
  }

  of({ id, isLocal, price }: PricedModel): Price {
    if (price) return priceOf(price, 'table');
    return this.#table.get(id) ?? (isLocal ? this.#local : this.#default);
  }
}

/** Nanodollars, rounded up once: a request that uses no more than another never costs more. */
export function costOf(price: Price, counts: TokenCounts): number {
  const picodollars =
    (counts.promptTokens - counts.cachedTokens) * price.inputPicodollars +
    counts.cachedTokens * price.cachedPicodollars +
    counts.completionTokens * price.outputPicodollars;
  return Math.ceil(picodollars / PICODOLLARS_PER_NANODOLLAR);
}

/** The most that a request of so many tokens can cost: nothing is cached, every answer is as long as it may be. */
export function maxCostOf(price: Price, promptTokens: number, completionTokens: number): number {
  const dearestInput = Math.max(price.inputPicodollars, price.cachedPicodollars);
  return costOf(
    { ...price, inputPicodollars: dearestInput },
    { promptTokens, completionTokens, cachedTokens: 0 },
  );
}

/** Dollars per million tokens, as people read them. */
export function priceEntryOf(price: Price): PriceEntry & { cachedInput: number } {
  return {
    input: price.inputPicodollars / 1e6,
    output: price.outputPicodollars / 1e6,
    cachedInput: price.cachedPicodollars / 1e6,
  };
}

/** A dollar per million tokens is a million picodollars a token. */
function priceOf({ input, output, cachedInput = input }: PriceEntry, source: PriceSource): Price {
  return {
    source,
    inputPicodollars: Math.round(input * 1e6),
    outputPicodollars: Math.round(output * 1e6),
    cachedPicodollars: Math.round(cachedInput * 1e6),
  };
}
