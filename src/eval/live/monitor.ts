import type { EvaluationConfig } from '../../config/index.js';
import { DriftMonitor } from './drift-monitor.js';
import { Experiment, type VariantComparison } from './experiment.js';
import type { Features } from './features.js';
import { RollingMean } from './rolling-mean.js';
import type { LiveSample } from './sample.js';

export type Finding =
  | { kind: 'low_score'; model: string; mean: number; samples: number }
  | {
      kind: 'drift';
      model: string;
      measure: string;
      drift: 'up' | 'down';
      reference: number;
      current: number;
    }
  | {
      kind: 'variant';
      route: string;
      comparison: VariantComparison;
      action: string;
      isFirst: boolean; // of this verdict
    };

/** What a route shares its requests out to. */
export interface Split {
  variants: readonly string[]; // the control first
  /** Of the route as it was put: another one begins the comparison anew. */
  deployed: object;
}

/** Chance that a route's variants are ever called different where they are alike. */
const EXPERIMENT_ALPHA = 0.05;
const MAX_WATCHED = 1_000; // models and routes; names come from the configuration

export interface MonitorStatus {
  models: { model: string; samples: number; mean: number | null }[];
  routes: {
    route: string;
    samples: Record<string, number>;
    comparisons: (VariantComparison & { action: string })[];
  }[];
}

/** What is known of live quality: by model the last mean and drift, by route how its variants compare. Pure. */
export class Monitor {
  readonly #config: EvaluationConfig;
  readonly #models = new Map<string, { mean: RollingMean; drift: DriftMonitor; samples: number }>();
  readonly #experiments = new Map<string, Watched>();

  constructor(config: EvaluationConfig) {
    this.#config = config;
  }

  /**
   * What stands out now that this sample is known. `split`: its route's when it was taken; null: none. Samples that a rule has chosen
   * would bend all measures: they aren't counted.
   */
  add(sample: LiveSample, features: Features, split: Split | null): Finding[] {
    if (!sample.reasons.includes('share')) return [];
    return [...this.#addToModel(sample, features), ...this.#addToRoute(sample, split)];
  }

  status(): MonitorStatus {
    return {
      models: [...this.#models].map(([model, { mean, samples }]) => ({ model, samples, mean: mean.mean })),
      routes: [...this.#experiments].map(([route, { experiment }]) => ({
        route,
        samples: experiment.samples(),
        comparisons: experiment.comparisons().map((each) => ({ ...each, action: actionOf(each) })),
      })),
    };
  }

  #addToModel({ model, score }: LiveSample, features: Features): Finding[] {
    const watched = this.#watched(model);
    if (!watched) return [];
    watched.samples += 1;
    const findings: Finding[] = watched.drift
      .add(score, features)
      .map((found) => ({ kind: 'drift', model, ...found }));
    if (score === null) return findings;
    watched.mean.add(score);
    const { mean } = watched.mean;
    if (mean !== null && mean < this.#config.alertBelow)
      findings.push({ kind: 'low_score', model, mean, samples: this.#config.alertSamples });
    return findings;
  }

  #addToRoute({ route, variant, score, latencyMs, nanodollars }: LiveSample, split: Split | null): Finding[] {
    const watched = route !== null && variant !== null && split ? this.#experiment(route, split) : null;
    if (!watched) return [];
    const { experiment, found } = watched;
    experiment.add(variant!, { quality: score, latencyMs, nanodollars });
    return experiment
      .comparisons()
      .filter(({ verdict }) => verdict !== 'undecided')
      .map((comparison) => {
        const key = `${comparison.measure} ${comparison.verdict} ${comparison.variant}`;
        const isFirst = !found.has(key);
        found.add(key);
        return { kind: 'variant', route: route!, comparison, action: actionOf(comparison), isFirst };
      });
  }

  #watched(model: string) {
    const { alertSamples, driftReference: reference, driftWindow: window, driftAlpha: alpha } = this.#config;
    if (!this.#models.has(model) && this.#models.size < MAX_WATCHED) {
      const drift = new DriftMonitor({ reference, window, alpha });
      this.#models.set(model, { mean: new RollingMean(alertSamples), drift, samples: 0 });
    }
    return this.#models.get(model);
  }

  #experiment(route: string, { variants, deployed }: Split): Watched | null {
    const known = this.#experiments.get(route);
    if (known?.deployed === deployed) return known;
    if (!known && this.#experiments.size >= MAX_WATCHED) return null;
    const experiment = new Experiment(variants[0]!, variants.length, EXPERIMENT_ALPHA);
    const made = { experiment, deployed, found: new Set<string>() };
    this.#experiments.set(route, made);
    return made;
  }
}

/** A route's variants, as long as it isn't put again. */
interface Watched {
  experiment: Experiment;
  deployed: object;
  found: Set<string>; // verdicts
}

/** What an operator might do about it. Quality comes first: what is only slower or dearer is theirs to weigh. */
function actionOf({ measure, verdict, variant }: VariantComparison): string {
  if (verdict === 'undecided') return 'go on';
  if (measure !== 'quality') return `weigh: ${variant} is ${verdict} in ${measure}`;
  return verdict === 'worse' ? `take ${variant} back` : `prefer ${variant}`;
}
