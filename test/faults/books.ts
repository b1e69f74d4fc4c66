import { setTimeout as delay } from 'node:timers/promises';
import { sumOf } from './tally.js';
import type { ClusterWorld, GatewayMember } from './world.js';

/** What was charged, in tokens, by the gateways' own reports; with the world's prices a token is a millionth of a dollar. */
export interface Balance {
  answers: number; // rows of the ledger
  tokens: number; // by the ledger
  cost: number; // by the ledger
  spent: number; // of the budgets
  reserved: number; // of the budgets
}

/** What clients know that they have to pay. Who lost a gateway may have to pay for what it never saw. */
export interface Due {
  answers: number;
  tokens: number;
  unseenAnswers: number;
  unseenTokens: number; // at most
}

export const nothingDue: Due = { answers: 0, tokens: 0, unseenAnswers: 0, unseenTokens: 0 };

/** Longer than what a dead gateway has reserved may be held. */
const PATIENCE_MS = 60_000;
const DOLLAR = 1e6;

/** Accounts of a world's clients from one moment on. */
export class Books {
  readonly #world: ClusterWorld;
  #before: Balance;

  private constructor(world: ClusterWorld, before: Balance) {
    this.#world = world;
    this.#before = before;
  }

  static async open(world: ClusterWorld): Promise<Books> {
    return new Books(world, await balanceOf(world));
  }

  /** Closes what is due since the last time. Waits until the gateways answer and agree with it, for some seconds. */
  async settle(due: Due): Promise<{ budgetError: number; answeredTwice: number }> {
    const until = performance.now() + PATIENCE_MS;
    for (;;) {
      const isLast = performance.now() > until;
      try {
        const now = await balanceOf(this.#world);
        const verdict = compare(this.#before, now, due);
        if ((verdict.budgetError === 0 && verdict.answeredTwice === 0) || isLast) {
          this.#before = now;
          return verdict;
        }
      } catch (error) {
        if (!(error instanceof AwayError) || isLast) throw error; // it may not have found its way back yet
      }
      await delay(100);
    }
  }
}

/** How many tokens' worth the ledger is off, and the budgets from the ledger; and how many answers nobody had asked for. */
export function compare(
  before: Balance,
  now: Balance,
  due: Due,
): { budgetError: number; answeredTwice: number } {
  const charged = now.tokens - before.tokens;
  const off = Math.max(due.tokens - charged, charged - due.tokens - due.unseenTokens, 0);
  const answers = now.answers - before.answers;
  return {
    budgetError:
      off + Math.abs(now.cost - now.tokens) + Math.abs(now.spent - now.cost) + Math.abs(now.reserved),
    answeredTwice: Math.max(0, answers - due.answers - due.unseenAnswers),
  };
}

/** Gateways may share their accounts, or have each its own: a key is counted once. */
async function balanceOf(world: ClusterWorld): Promise<Balance> {
  const byKey = new Map<string, Balance>();
  for (const gateway of world.gateways) {
    const { data } = await ask<{ data: LedgerRow[] }>(gateway, `/admin/usage?by=key,finish&${EVER}`);
    const { data: budgets } = await ask<{ data: BudgetRow[] }>(gateway, '/admin/budgets');
    for (const key of new Set(data.map((row) => row.key))) {
      const rows = data.filter((row) => row.key === key);
      const budget = budgets.find(({ scope }) => scope === `key:${key}`);
      const sum = (read: (row: LedgerRow) => number) => rows.reduce((total, row) => total + read(row), 0);
      byKey.set(key, {
        answers: sum((row) => (ANSWERED.has(row.finish) ? row.requests : 0)),
        tokens: sum((row) => row.input_tokens + row.output_tokens),
        cost: Math.round(sum((row) => row.cost) * DOLLAR),
        spent: Math.round((budget?.spent ?? 0) * DOLLAR),
        reserved: Math.round((budget?.reserved ?? 0) * DOLLAR),
      });
    }
  }
  return [...byKey.values()].reduce(sumOf, { answers: 0, tokens: 0, cost: 0, spent: 0, reserved: 0 });
}

/** A gateway whose clock was set back has rows of its future. */
const EVER = 'limit=1000&since=2000-01-01T00:00:00Z&until=2100-01-01T00:00:00Z';
const ANSWERED: ReadonlySet<string> = new Set(['stop', 'length']);

interface LedgerRow {
  key: string;
  finish: string;
  requests: number;
  input_tokens: number;
  output_tokens: number;
  cost: number;
}

interface BudgetRow {
  scope: string;
  spent: number;
  reserved: number;
}

class AwayError extends Error {}

async function ask<T>({ port, key }: GatewayMember, path: string): Promise<T> {
  const headers = { authorization: `Bearer ${key}` };
  const response = await fetch(`http://127.0.0.1:${port}${path}`, { headers });
  if (!response.ok) {
    const message = `${path}: ${response.status} ${await response.text()}`;
    throw response.status === 503 ? new AwayError(message) : new Error(message);
  }
  return (await response.json()) as T;
}
