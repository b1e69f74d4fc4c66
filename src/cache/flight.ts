import { SluiceError, toSluiceError } from '../errors.js';
import type { GenerationEvent, GenerationSink, Usage, ValidatedRequest } from '../generation/types.js';
import { steadyNowMs } from '../support/steady-clock.js';
import type { Found } from './levels.js';
import type { Recording } from './recording.js';
import type { Seat } from './seat.js';

/** How a flight ended: with an answer that its passengers have got, or with one from a lower level to be replayed to them. */
export type Landing = { usage: Usage } | { found: Found };

const MAX_TIMEOUT_MS = 2 ** 31 - 1;

/** What is one's own in a request that leads: others who ask the same needn't share it. */
interface Leader {
  request: Pick<ValidatedRequest, 'priority' | 'deadlineMs'>;
  tab: { readonly wasRefused: boolean };
}

/**
 * One computation for all who ask the same while it runs. Who boards late gets what they missed first. Whoever gets off,
 * its leader too, the others fly on; when the last one wants to get off, it is stopped.
 */
export class Flight {
  readonly recording: Recording;
  readonly #leader: Leader;
  readonly #passengers = new Set<Seat>();
  readonly #stop = new AbortController();
  readonly #landed: Promise<Landing>;
  #land!: (landing: Landing) => void;
  #crash!: (error: unknown) => void;
  #isOver = false;
  #failure: unknown = null;

  constructor(recording: Recording, leader: Leader) {
    this.recording = recording;
    this.#leader = leader;
    this.#landed = new Promise((resolve, reject) => {
      this.#land = resolve;
      this.#crash = reject;
    });
    this.#landed.catch(() => undefined); // there may be nobody aboard
  }

  /**
   * Whether a request may join: while the flight can be replayed, and where its leader's priority and deadline do for the
   * request too; half of the time that it has itself is enough.
   */
  takes({ priority, deadlineMs }: ValidatedRequest, nowMs: number): boolean {
    if (this.#isOver || this.#stop.signal.aborted || !this.recording.isWhole) return false;
    const { request } = this.#leader;
    return request.priority <= priority && request.deadlineMs - nowMs >= (deadlineMs - nowMs) / 2;
  }

  board(seat: Seat): void {
    for (const event of this.recording.events) seat.take(event);
    this.#passengers.add(seat);
  }

  /** Ends it with what `compute` gives or throws. */
  async run(compute: (sink: GenerationSink, stop: AbortSignal) => Promise<Landing>): Promise<void> {
    try {
      const landing = await compute((event) => this.#take(event), this.#stop.signal);
      this.#isOver = true;
      this.#land(landing);
    } catch (error) {
      this.#isOver = true;
      this.#failure = error;
      this.#crash(error);
    }
  }

  /**
   * Resolves when the flight has ended, or with null when `signal` aborts while others are aboard. Rejects with what the flight
   * failed with, and at the passenger's own deadline.
   */
  async ride(seat: Seat, signal: AbortSignal, deadlineMs: number | null): Promise<Landing | null> {
    let getOff = () => {};
    let timer: NodeJS.Timeout | undefined;
    const left = new Promise<null>((resolve, reject) => {
      getOff = () => {
        if (this.#passengers.size === 1) return this.#stop.abort(); // its answer ends as the computation does
        this.#passengers.delete(seat);
        resolve(null);
      };
      if (deadlineMs === null) return;
      const expire = () => reject(new SluiceError('deadline_exceeded', "The request's deadline passed."));
      timer = setTimeout(expire, Math.min(deadlineMs - steadyNowMs(), MAX_TIMEOUT_MS));
    });
    if (signal.aborted) getOff();
    signal.addEventListener('abort', getOff);
    try {
      return await Promise.race([this.#landed, left]);
    } finally {
      signal.removeEventListener('abort', getOff);
      clearTimeout(timer);
      this.#passengers.delete(seat);
      if (this.#passengers.size === 0 && !this.#isOver) this.#stop.abort();
    }
  }

  /** Whether this is what the flight failed with, for reasons of its leader's own: its limits, its budget, its time. */
  isLeadersFault(error: unknown): boolean {
    if (error !== this.#failure) return false;
    const { code } = toSluiceError(error);
    return this.#leader.tab.wasRefused || code === 'deadline_exceeded' || code === 'inference_timeout';
  }

  #take(event: GenerationEvent): void {
    this.recording.add(event);
    for (const seat of this.#passengers) seat.take(event);
  }
}
