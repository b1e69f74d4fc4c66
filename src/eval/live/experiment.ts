import type { Interval } from '../statistics/bootstrap.js';
import { ConfidenceSequence, differenceOf } from '../statistics/confidence-sequence.js';

export const measures = ['quality', 'latency', 'cost'] as const;
export type Measure = (typeof measures)[number];

export interface Observation {
  quality: number | null; // 0 to 1
  latencyMs: number;
  nanodollars: number | null;
}

export type VariantVerdict = 'worse' | 'better' | 'undecided';

export interface VariantComparison {
  variant: string;
  against: string;
  measure: Measure;
  interval: Interval; // variant − against: quality in points of score, the others as natural logarithm of the ratio
  verdict: VariantVerdict; // for the variant
}

/** Where latency and cost are told apart, on a logarithmic scale; what lies beyond counts as the bound. */
interface Scale {
  least: number;
  most: number;
}
const LATENCY_MS: Scale = { least: 10, most: 100_000 };
const COST_NANODOLLARS: Scale = { least: 1_000, most: 1_000_000_000 };

/**
 * Variants of a route compared on quality, latency and cost, at any time and as often as one likes: the chance that any verdict
 * is ever wrong where variants are alike stays ≤ alpha, also where what they are asked gets harder for all of them.
 */
export class Experiment {
  readonly #alpha: number; // of one bound of one interval
  readonly #control: string;
  readonly #variants = new Map<string, Record<Measure, ConfidenceSequence>>();

  /** `variants`: how many there will be. */
  constructor(control: string, variants: number, alpha: number) {
    this.#control = control;
    // Each comparison's interval is made of two, one of the variant and one of the control.
    this.#alpha = alpha / (measures.length * Math.max(1, variants - 1) * 2);
  }

  add(variant: string, { quality, latencyMs, nanodollars }: Observation): void {
    const known = this.#variants.get(variant) ?? {
      quality: new ConfidenceSequence(this.#alpha),
      latency: new ConfidenceSequence(this.#alpha),
      cost: new ConfidenceSequence(this.#alpha),
    };
    this.#variants.set(variant, known);
    if (quality !== null) known.quality.add(quality);
    known.latency.add(onScale(latencyMs, LATENCY_MS));
    if (nanodollars !== null) known.cost.add(onScale(nanodollars, COST_NANODOLLARS));
  }

  samples(): Record<string, number> {
    return Object.fromEntries([...this.#variants].map(([name, { latency }]) => [name, latency.count]));
  }

  comparisons(): VariantComparison[] {
    const control = this.#variants.get(this.#control);
    if (!control) return [];
    return [...this.#variants]
      .filter(([name]) => name !== this.#control)
      .flatMap(([variant, sequences]) =>
        measures.map((measure) => {
          const scale = { quality: 1, latency: widthOf(LATENCY_MS), cost: widthOf(COST_NANODOLLARS) }[
            measure
          ];
          const { low, high } = differenceOf(control[measure].interval, sequences[measure].interval);
          const [below, above]: VariantVerdict[] =
            measure === 'quality' ? ['worse', 'better'] : ['better', 'worse'];
          const verdict = high < 0 ? below! : low > 0 ? above! : 'undecided';
          return {
            variant,
            against: this.#control,
            measure,
            interval: { low: low * scale, high: high * scale },
            verdict,
          };
        }),
      );
  }
}

function widthOf({ least, most }: Scale): number {
  return Math.log(most / least);
}

/** 0 to 1, as far as a confidence sequence bounds it. */
function onScale(value: number, scale: Scale): number {
  return Math.log(Math.max(scale.least, value) / scale.least) / widthOf(scale);
}
