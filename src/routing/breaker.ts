/** How a try ended, for the health of who was tried. `neutral`: it says nothing, such as a cancelled request. */
export type Outcome = 'success' | 'failure' | 'neutral';

export type BreakerState = 'closed' | 'open' | 'half-open';

export interface BreakerConfig {
  failures: number; // in a row, that open it
  failureShare: number; // of the last `windowSize` outcomes, that opens it too
  windowSize: number;
  cooldownMs: number; // of the first opening; doubles with each further one until it closes
  maxCooldownMs: number;
  trials: number; // tried at once while half-open, and successes that close it
}

/** What others who use the same server should know. */
export type BreakerChange =
  | { state: 'open'; forMs: number; openings: number } // openings: in a row, without closing
  | { state: 'closed' };

/** Permission for one try. */
export interface Permit {
  readonly epoch: number;
}

/** Share of the cooldown that is random, so that many gateways don't try a recovering server at the same moment. */
const JITTER = 0.2;

/**
 * Circuit breaker. Closed: everything passes. Open: nothing does, until a cooldown is over. Half-open: a few trials pass;
 * if they succeed it closes, if one fails it opens for longer. Reports of tries begun in an earlier state don't count.
 */
export class Breaker {
  readonly #config: BreakerConfig;
  readonly #random: () => number;
  readonly #onChange: (change: BreakerChange) => void;
  #lastSuccessMs = Number.NEGATIVE_INFINITY;
  #state: BreakerState = 'closed';
  #epoch = 0; // grows with each change of state
  #recent: boolean[] = []; // true: failed
  #inARow = 0;
  #openings = 0; // since it was last closed
  #opensUntilMs = 0;
  #trialsRunning = 0;
  #trialsPassed = 0;

  /** `onChange` is told of what this breaker found out, not of what it heard. */
  constructor(
    config: BreakerConfig,
    random: () => number,
    onChange: (change: BreakerChange) => void = () => {},
  ) {
    this.#config = config;
    this.#random = random;
    this.#onChange = onChange;
  }

  state(nowMs: number): BreakerState {
    if (this.#state === 'open' && nowMs >= this.#opensUntilMs) this.#enter('half-open');
    return this.#state;
  }

  /** When trials will pass; 0 unless open. */
  opensUntilMs(nowMs: number): number {
    return this.state(nowMs) === 'open' ? this.#opensUntilMs : 0;
  }

  /** Whether acquire() would give a permit. */
  available(nowMs: number): boolean {
    const state = this.state(nowMs);
    if (state === 'half-open') return this.#trialsRunning < this.#config.trials;
    return state === 'closed';
  }

  /** Null: not now. Each permit is reported exactly once. */
  acquire(nowMs: number): Permit | null {
    if (!this.available(nowMs)) return null;
    if (this.#state === 'half-open') this.#trialsRunning += 1;
    return { epoch: this.#epoch };
  }

  report(permit: Permit, outcome: Outcome, nowMs: number): void {
    if (outcome === 'success') this.#lastSuccessMs = nowMs;
    if (permit.epoch !== this.#epoch) return;
    if (this.#state === 'half-open') this.#reportTrial(outcome, nowMs);
    else if (outcome !== 'neutral') this.#reportClosed(outcome === 'failure', nowMs);
  }

  /**
   * Somebody else found out. Who has had a success within a cooldown may see what the other can't: it opens with its own next
   * failure. When another's has closed, trials may begin.
   */
  hear(change: BreakerChange, nowMs: number): void {
    if (change.state === 'closed') {
      this.alive(nowMs);
      return;
    }
    if (nowMs - this.#lastSuccessMs < this.#config.cooldownMs) {
      this.#inARow = Math.max(this.#inARow, this.#config.failures - 1);
      return;
    }
    if (this.state(nowMs) === 'open' && this.#opensUntilMs >= nowMs + change.forMs) return;
    this.#openings = Math.max(this.#openings, change.openings);
    this.#opensUntilMs = nowMs + change.forMs;
    this.#enter('open');
  }

  /** A probe found it alive: trials may begin without waiting for the cooldown's end. */
  alive(nowMs: number): void {
    if (this.state(nowMs) === 'open') this.#enter('half-open');
  }

  /** A probe found it dead. */
  dead(nowMs: number): void {
    if (this.state(nowMs) !== 'open') this.#open(nowMs);
  }

  #reportTrial(outcome: Outcome, nowMs: number): void {
    this.#trialsRunning -= 1;
    if (outcome === 'failure') this.#open(nowMs);
    if (outcome !== 'success') return;
    this.#trialsPassed += 1;
    if (this.#trialsPassed < this.#config.trials) return;
    this.#openings = 0;
    this.#enter('closed');
    this.#onChange({ state: 'closed' });
  }

  #reportClosed(failed: boolean, nowMs: number): void {
    const { failures, failureShare, windowSize } = this.#config;
    this.#inARow = failed ? this.#inARow + 1 : 0;
    this.#recent.push(failed);
    if (this.#recent.length > windowSize) this.#recent.shift();
    const failing = this.#recent.filter(Boolean).length;
    const tooMany = this.#recent.length === windowSize && failing >= failureShare * windowSize;
    if (this.#inARow >= failures || tooMany) this.#open(nowMs);
  }

  #open(nowMs: number): void {
    const { cooldownMs, maxCooldownMs } = this.#config;
    const base = Math.min(maxCooldownMs, cooldownMs * 2 ** Math.min(this.#openings, 30));
    this.#openings += 1;
    const forMs = base * (1 - JITTER * this.#random());
    this.#opensUntilMs = nowMs + forMs;
    this.#enter('open');
    this.#onChange({ state: 'open', forMs, openings: this.#openings });
  }

  #enter(state: BreakerState): void {
    this.#state = state;
    this.#epoch += 1;
    this.#recent = [];
    this.#inARow = 0;
    this.#trialsRunning = 0;
    this.#trialsPassed = 0;
  }
}
