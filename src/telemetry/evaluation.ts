import { Counter, Histogram, type Registry } from 'prom-client';

/** Live evaluation. */
export class EvaluationMetrics {
  readonly score: Histogram<'model' | 'eval_type'>;
  readonly samples: Counter<'outcome'>;

  constructor(registry: Registry) {
    const registers = [registry];
    this.score = new Histogram({
      name: 'llm_eval_score',
      help: 'Scores of live answers, 0 to 1, by scorer',
      labelNames: ['model', 'eval_type'],
      buckets: [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1],
      registers,
    });
    this.samples = new Counter({
      name: 'sluice_eval_samples_total',
      help: 'Live requests: taken for evaluation, dropped since too many wait, unscored since a scorer failed, or too_long to be looked at',
      labelNames: ['outcome'],
      registers,
    });
  }
}
