import type { Placement } from '../placement.js';
import type { Sequence } from '../sequence.js';
import type { StepShape, StepTimeModel } from '../step-time.js';

/** Of the target, what a step may spend on copies of evicted pages while others wait for their next token. */
const saveShare = 1 / 4;

export interface RestorerConfig {
  pageSize: number; // tokens
  targetStepMs: number; // 0: no bound
}

/** Decides which evicted pages come back: those that are sooner read and copied than computed. */
export class Restorer {
  constructor(
    private readonly config: RestorerConfig,
    private readonly placement: Placement,
    private readonly stepTime: StepTimeModel,
  ) {}

  /** `isHurried`: somebody waits for a next token. */
  beginStep(isHurried: boolean): void {
    const { targetStepMs } = this.config;
    const isBounded = isHurried && targetStepMs > 0;
    this.placement.store?.beginStep(isBounded ? targetStepMs * saveShare : Number.POSITIVE_INFINITY);
  }

  /** Pages behind the cached ones that can be copied back at once. */
  pagesOf(sequence: Sequence): number {
    const { store } = this.placement;
    if (store === null || !sequence.cacheable) return 0;
    const { cached, end } = this.gap(sequence);
    const pages = store.available(sequence, cached, end);
    return pages * store.restoreMs < this.computeMs(cached, pages) ? pages : 0;
  }

  /** True while pages come from disk that are expected sooner than they could be computed. */
  isAwaited(sequence: Sequence, nowMs: number): boolean {
    const { store } = this.placement;
    if (store === null || !sequence.cacheable) return false;
    if (!sequence.fetchTried) {
      const { cached, end } = this.gap(sequence);
      const patienceMs = store.fetch(sequence, cached, end, (pages) => this.computeMs(cached, pages));
      sequence.fetchTried = true;
      sequence.fetchUntilMs = nowMs + patienceMs;
    }
    return nowMs < sequence.fetchUntilMs && store.isFetching(sequence);
  }

  /** Copies pages of a running sequence back, beside `step` at least one. Returns how many. */
  restore(sequence: Sequence, step: StepShape & { restored: number }, isHurried: boolean): number {
    const { targetStepMs } = this.config;
    const { restoreMs } = this.placement.store!;
    const leftMs = targetStepMs - this.stepTime.predictMs(step) - step.restored * restoreMs;
    const isBounded = isHurried && targetStepMs > 0;
    const most = isBounded ? Math.max(1, Math.floor(leftMs / restoreMs)) : sequence.restorablePages;
    return this.placement.restore(sequence, most);
  }

  /** Pages [cached, end) aren't in the pool, and may come from elsewhere. */
  private gap(sequence: Sequence): { cached: number; end: number } {
    const cached = this.placement.cachedPages(sequence);
    return { cached, end: this.placement.completePages(sequence.matchLimit) };
  }

  private computeMs(from: number, pages: number): number {
    const { pageSize } = this.config;
    return this.stepTime.promptMs(pages * pageSize, from * pageSize);
  }
}
