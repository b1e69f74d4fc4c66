import { type Drift, DriftDetector, type DriftOptions } from './drift.js';
import { type Features, OTHER } from './features.js';

/** Kinds of a category that are watched by name; the others are one. */
const MOST_KINDS = 5;
const NUMBERS = ['score', 'length', 'refusal'] as const;
const CATEGORIES = ['language', 'topic'] as const;

export interface DriftFinding {
  measure: string; // score, length, refusal, language:eng, topic:billing, …
  drift: Drift;
  reference: number;
  current: number;
}

/** All measures of one model. Alpha is shared among them. */
export class DriftMonitor {
  readonly #detectors = new Map<string, DriftDetector>();
  readonly #kinds: Record<(typeof CATEGORIES)[number], CategoryWatch>;

  constructor(options: DriftOptions) {
    const each = { ...options, alpha: options.alpha / (NUMBERS.length + CATEGORIES.length) };
    for (const name of NUMBERS) this.#detectors.set(name, new DriftDetector(each));
    this.#kinds = { language: new CategoryWatch(each), topic: new CategoryWatch(each) };
  }

  /** What has drifted as of now. */
  add(score: number | null, features: Features): DriftFinding[] {
    const found: DriftFinding[] = [];
    const look = (measure: string, detector: DriftDetector, value: number) => {
      const drift = detector.add(value);
      if (drift) found.push({ measure, drift, ...detector.means });
    };
    if (score !== null) look('score', this.#detectors.get('score')!, score);
    look('length', this.#detectors.get('length')!, features.length);
    look('refusal', this.#detectors.get('refusal')!, Number(features.refusal));
    for (const category of CATEGORIES)
      for (const [kind, detector, isIt] of this.#kinds[category].add(features[category]))
        look(`${category}:${kind}`, detector, Number(isIt));
    return found;
  }
}

/** Shares of a category's kinds. Which kinds there are is learned first, from observations that aren't used again. */
class CategoryWatch {
  readonly #options: DriftOptions;
  readonly #seen = new Map<string, number>();
  #learned = 0;
  #detectors: Map<string, DriftDetector> | null = null;

  constructor(options: DriftOptions) {
    this.#options = options;
  }

  add(kind: string): [kind: string, detector: DriftDetector, isIt: boolean][] {
    if (this.#detectors === null) {
      this.#seen.set(kind, (this.#seen.get(kind) ?? 0) + 1);
      this.#learned += 1;
      if (this.#learned >= this.#options.reference / 4) this.#detectors = this.#create();
      return [];
    }
    const known = this.#detectors.has(kind) ? kind : OTHER;
    return [...this.#detectors].map(([name, detector]) => [name, detector, name === known]);
  }

  #create(): Map<string, DriftDetector> {
    const commonest = [...this.#seen].sort((a, b) => b[1] - a[1]).slice(0, MOST_KINDS - 1);
    const names = new Set([...commonest.map(([name]) => name), OTHER]);
    const options = { ...this.#options, alpha: this.#options.alpha / names.size };
    return new Map([...names].map((name) => [name, new DriftDetector(options)]));
  }
}
