import type { Admission, Bill } from './admission.js';
import { costOf, type ModelCost, maxCostOf, type Price, type TokenCounts } from './prices.js';

/** The most that one answer may take. */
export interface TokenBound {
  promptTokens: number; // counted against limits on tokens
  dearestPromptTokens: number; // counted against budgets: more, where the prompt's tokens can't be counted
  completionTokens: number;
}

const nothing = { tokens: 0, nanodollars: 0 };

/**
 * One request's tab: what the answers that were made for it have cost, and what is held for those being made. A request can
 * take several: tries that fail half-way, a cascade's steps, their judges. What is held is always enough for all of them.
 */
export class Tab {
  readonly #admission: Admission;
  readonly #byModel = new Map<string, ModelCost>();
  readonly #open = new Set<Charge>();
  #reserving: Promise<void> | null = null;
  #promptTokens = 0;
  #completionTokens = 0;
  #cachedTokens = 0;
  #nanodollars = 0;
  #lastModel: string | null = null;
  #wasRefused = false;

  constructor(admission: Admission) {
    this.#admission = admission;
  }

  /** Of all answers together. */
  get counts(): TokenCounts {
    return {
      promptTokens: this.#promptTokens,
      completionTokens: this.#completionTokens,
      cachedTokens: this.#cachedTokens,
    };
  }

  get nanodollars(): number {
    return this.#nanodollars;
  }

  get byModel(): ReadonlyMap<string, ModelCost> {
    return this.#byModel;
  }

  /** The model asked last; null: none was. */
  get lastModel(): string | null {
    return this.#lastModel;
  }

  /** Whether the caller's limits or budgets ever had no room for an answer. */
  get wasRefused(): boolean {
    return this.#wasRefused;
  }

  /** What is left of the caller's limits, as headers. */
  quota(): Record<string, string> {
    return this.#admission.quota();
  }

  /** A model is about to be asked. */
  open(model: string, price: Price): Charge {
    this.#lastModel = model;
    if (!this.#byModel.has(model)) this.#byModel.set(model, { price, nanodollars: 0 });
    const charge: Charge = new Charge(price, {
      reserve: (held) => this.#reserve(charge, held),
      settle: (counts, nanodollars) => {
        this.#open.delete(charge);
        this.#add(model, counts, nanodollars);
      },
    });
    this.#open.add(charge);
    return charge;
  }

  /** One at a time: each looks at what the others hold. */
  #reserve(charge: Charge, held: Held): void | Promise<void> {
    if (this.#reserving) return this.#reserving.then(() => this.#reserve(charge, held));
    try {
      const reserved = this.#admission.reserve(this.#billWith(charge, held));
      if (!reserved) {
        charge.held = held;
        return;
      }
      const done = reserved
        .then(() => {
          charge.held = held;
        })
        .catch((error: unknown) => this.#refuse(error))
        .finally(() => {
          this.#reserving = null;
        });
      this.#reserving = done.catch(() => undefined);
      return done;
    } catch (error) {
      this.#refuse(error);
    }
  }

  #refuse(error: unknown): never {
    this.#wasRefused = true;
    throw error;
  }

  #billWith(charge: Charge, held: Held): Bill {
    let tokens = this.#promptTokens + this.#completionTokens + held.tokens;
    let nanodollars = this.#nanodollars + held.nanodollars;
    for (const other of this.#open) {
      if (other === charge) continue;
      tokens += other.held.tokens;
      nanodollars += other.held.nanodollars;
    }
    return { tokens, nanodollars };
  }

  #add(model: string, counts: TokenCounts, nanodollars: number): void {
    this.#promptTokens += counts.promptTokens;
    this.#completionTokens += counts.completionTokens;
    this.#cachedTokens += counts.cachedTokens;
    this.#nanodollars += nanodollars;
    this.#byModel.get(model)!.nanodollars += nanodollars;
  }
}

interface Held {
  tokens: number;
  nanodollars: number;
}

interface TabSide {
  reserve(held: Held): void | Promise<void>;
  settle(counts: TokenCounts, nanodollars: number): void;
}

/** One answer's place on a tab. It ends exactly once, by settle(). */
export class Charge {
  readonly #price: Price;
  readonly #tab: TabSide;
  /** The tab's to set. */
  held: Held = nothing;

  constructor(price: Price, tab: TabSide) {
    this.#price = price;
    this.#tab = tab;
  }

  /** Holds this instead of what it held. Throws, rejects and is a promise as {@link Admission.reserve} says. */
  reserve({ promptTokens, dearestPromptTokens, completionTokens }: TokenBound): void | Promise<void> {
    return this.#tab.reserve({
      tokens: promptTokens + completionTokens,
      nanodollars: maxCostOf(this.#price, dearestPromptTokens, completionTokens),
    });
  }

  /** Returns what it has cost, in nanodollars. */
  settle(counts: TokenCounts): number {
    const nanodollars = costOf(this.#price, counts);
    this.#tab.settle(counts, nanodollars);
    return nanodollars;
  }
}
