import { LatencyEstimate } from '../../routing/latency.js';

/** Fewer say too little. */
const leastSamples = 8;

/**
 * Whether looking for an answer takes less time than having it computed: medians of both, of the last five minutes, after which what
 * was slow gets another chance. While little is known, it is assumed.
 */
export class Worth {
  readonly #lookUps = new LatencyEstimate();
  readonly #answers = new Map<string, LatencyEstimate>(); // by model

  lookedUp(ms: number, nowMs: number): void {
    this.#lookUps.add(ms, nowMs);
  }

  computed(model: string, ms: number, nowMs: number): void {
    const answers = this.#answers.get(model) ?? new LatencyEstimate();
    this.#answers.set(model, answers);
    answers.add(ms, nowMs);
  }

  isWorthwhile(model: string, nowMs: number): boolean {
    const lookUpMs = known(this.#lookUps, nowMs);
    const answerMs = known(this.#answers.get(model), nowMs);
    return lookUpMs === null || answerMs === null || lookUpMs < answerMs;
  }
}

function known(estimate: LatencyEstimate | undefined, nowMs: number): number | null {
  const median = estimate?.p50Ms(nowMs) ?? null;
  return estimate && estimate.samples >= leastSamples ? median : null;
}
