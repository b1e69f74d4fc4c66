import type { Period } from '../store/types.js';
import type { Unit } from './account.js';

/** How far one limit was used up at some moment. */
export interface BoundUse {
  scope: string;
  unit: Unit;
  span: 'minute' | Period;
  limit: number;
  used: number; // with what running requests hold
  resetMs: number; // until nothing of it counts any more
}

/** What a scope has spent in the current day, week or month, and what runs. */
export interface Standing {
  scope: string;
  period: Period;
  budget: number | null; // nanodollars; null: it has none for this period
  sinceMs: number; // when the period began
  settled: number; // nanodollars
  reserved: number; // by running requests
  running: number; // requests
}

/** Why a request was refused. */
export class Refusal {
  /** Every limit that it would exceed. */
  readonly bounds: readonly BoundUse[];
  /** Every limit that stands against it. */
  readonly quota: readonly BoundUse[];
  /** Scopes that run as many requests as they may at once, with that limit. */
  readonly busy: readonly { scope: string; concurrency: number }[];
  /** Milliseconds until all of it fits if nothing else is used; Infinity: never, at these limits. */
  readonly waitMs: number;
  /** Of the scopes whose budget refused. */
  readonly standings: readonly Standing[];

  constructor(fields: Readonly<Refusal>) {
    this.bounds = fields.bounds;
    this.quota = fields.quota;
    this.busy = fields.busy;
    this.waitMs = fields.waitMs;
    this.standings = fields.standings;
  }
}
