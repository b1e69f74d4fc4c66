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
  | { kind: 'variant'; route: string; comparison: VariantComparison; action: string };

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
  /** Names of a route's variants, the control first; null: it has none. */
  readonly #variantsOf: (route: string) => readonly string[] | null;
  readonly #models = new Map<string, { mean: RollingMean; drift: DriftMonitor; samples: number }>();
  readonly #experiments = new Map<string, Experiment>();

  constructor(config: EvaluationConfig, variantsOf: (route: string) => readonly string[] | null) {
    this.#config = config;
    this.#variantsOf = variantsOf;
  }

  /** What stands out now that this sample is known. Samples that a rule has chosen would bend all measures: they aren't counted. */
  add(sample: LiveSample, features: Features): Finding[] {
    if (!sample.reasons.includes('share')) return [];
    return [...this.#addToModel(sample, features), ...this.#addToRoute(sample)];
  }

  status(): MonitorStatus {
    return {
      models: [...this.#models].map(([model, { mean, samples }]) => ({ model, samples, mean: mean.mean })),
      routes: [...this.#experiments].map(([route, experiment]) => ({
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

  #addToRoute({ route, variant, score, latencyMs, nanodollars }: LiveSample): Finding[] {
    const experiment = route !== null && variant !== null ? this.#experiment(route) : null;
    if (!experiment) return [];
    experiment.add(variant!, { quality: score, latencyMs, nanodollars });
    return experiment
      .comparisons()
      .filter(({ verdict }) => verdict !== 'undecided')
      .map((comparison) => ({ kind: 'variant', route: route!, comparison, action: actionOf(comparison) }));
  }

  #watched(model: string) {
    const { alertSamples, driftReference: reference, driftWindow: window, driftAlpha: alpha } = this.#config;
    if (!this.#models.has(model) && this.#models.size < MAX_WATCHED) {
      const drift = new DriftMonitor({ reference, window, alpha });
      this.#models.set(model, { mean: new RollingMean(alertSamples), drift, samples: 0 });
    }
    return this.#models.get(model);
  }

  #experiment(route: string): Experiment | null {
    const known = this.#experiments.get(route);
    if (known) return known;
    const variants = this.#variantsOf(route);
    if (!variants || this.#experiments.size >= MAX_WATCHED) return null;
    const made = new Experiment(variants[0]!, variants.length, EXPERIMENT_ALPHA);
    this.#experiments.set(route, made);
    return made;
  }
}

/** What an operator might do about it. Quality comes first: what is only slower or dearer is theirs to weigh. */
function actionOf({ measure, verdict, variant }: VariantComparison): string {
  if (verdict === 'undecided') return 'go on';
  if (measure !== 'quality') return `weigh: ${variant} is ${verdict} in ${measure}`;
  return verdict === 'worse' ? `take ${variant} back` : `prefer ${variant}`;
}
