import { FairPlaces } from '../support/fair-share.js';
import type { Sequence } from './sequence.js';

/**
 * Whose turn the engine's slots are. Some stay free for tenants that were there lately; where those are taken too, there are guests'
 * beyond them; then who has many gives one up to who has few. No step that brings a first token to who has few is lengthened
 * by prompts of who has many.
 */
export class FairSlots {
  private readonly places = new FairPlaces();
  private nowMs = 0;
  /** By a tenant to whom this step brings a first token. */
  private fewestHeld = Number.POSITIVE_INFINITY;
  /** Slots beyond which a tenant has many. */
  private enough = Number.POSITIVE_INFINITY;

  constructor(
    private readonly slots: number,
    private readonly guests: number,
  ) {}

  beginStep(nowMs: number): void {
    this.nowMs = nowMs;
    this.fewestHeld = Number.POSITIVE_INFINITY;
    this.enough = this.places.enough(nowMs);
  }

  /** Some tenant may have many beside another. */
  get isUneven(): boolean {
    return this.places.total > this.enough;
  }

  /** The sequence's tenant has so many slots that some other has few beside it, or would have if it came back. */
  hasMany({ tenant }: Sequence): boolean {
    return this.places.heldBy(tenant) > this.enough;
  }

  /** Preempted sequences had their slot already. */
  mayTake({ tenant, preempted }: Sequence, isOnly: boolean): boolean {
    if (preempted || this.places.mayTake(tenant, this.slots, this.nowMs)) return true;
    return isOnly && this.places.mayBeGuest(tenant, this.slots + this.guests);
  }

  take({ tenant }: Sequence): void {
    this.places.take(tenant, this.nowMs);
  }

  leave({ tenant }: Sequence): void {
    this.places.leave(tenant, this.nowMs);
  }

  /** A prompt ends in this step. */
  promptEnds({ tenant }: Sequence): void {
    this.fewestHeld = Math.min(this.fewestHeld, this.places.heldBy(tenant));
  }

  /** Whether the sequence's prompt can wait for the next step, for the sake of one that ends in this. */
  canWait({ tenant }: Sequence): boolean {
    return this.places.heldBy(tenant) > 2 * this.fewestHeld + 1;
  }

  /**
   * Who gives its slot up to `sequence`: the youngest one of whoever has most, if that still has no fewer then. What it has
   * computed stays in the prefix cache, so that it loses little.
   */
  giver(sequence: Sequence, running: readonly Sequence[]): Sequence | undefined {
    const richer = this.places.richerThan(sequence.tenant);
    return running.findLast(
      ({ tenant, cacheable, priority }) => tenant === richer && cacheable && priority >= sequence.priority,
    );
  }
}
