import { z } from 'zod';
import { configSchema } from '../../src/config/schema.js';
import { wilsonLower } from '../../src/support/wilson.js';
import { createEmbedder } from '../embedder.js';
import { readHalf } from '../semantic-cache/generate.js';
import { falseHitsByKind, type Judged, judge, type Rate, scoresAt } from '../semantic-cache/measure.js';
import { type Figure, figure, type Outcome, type Progress } from './outcome.js';

export const semanticCacheOptionsSchema = z.object({
  half: z.enum(['tune', 'test']).default('test'),
  model: z.string().default('all-minilm-l6-v2'),
});

type Options = z.output<typeof semanticCacheOptionsSchema>;

const Z_95 = 1.96;
const thresholds = [0.7, 0.75, 0.8, 0.85, 0.9, 0.95];

/** How many questions in other words the semantic cache would answer, and how many near-duplicates it would answer wrongly. */
export async function semanticCache({ half, model }: Options, progress: Progress): Promise<Outcome> {
  const pairs = readHalf(half);
  const embedder = await createEmbedder(model);
  try {
    const judged = await judge(pairs, embedder, (done, of) => progress(`${done} of ${of} questions`));
    return {
      scenario: 'semantic-cache',
      options: { half, model, pairs: pairs.length },
      runs: [],
      comparisons: [],
      figures: figuresOf(judged),
    };
  } finally {
    await embedder.close();
  }
}

function figuresOf(judged: readonly Judged[]): Figure[] {
  const { minCosine } = configSchema.parse({}).semanticCache;
  const curve = thresholds.flatMap((threshold) => {
    const { hits, falseHits } = scoresAt(judged, threshold, true);
    const alone = scoresAt(judged, threshold, false);
    return [
      ...withBounds(`hits at ${threshold}`, hits),
      ...withBounds(`false hits at ${threshold}`, falseHits),
      percentage(`hits at ${threshold} without the gate`, alone.hits),
      percentage(`false hits at ${threshold} without the gate`, alone.falseHits),
    ];
  });
  const byKind = falseHitsByKind(judged, minCosine).map(([kind, rate]) =>
    percentage(`false hits at ${minCosine}, ${kind} (${rate.of} pairs)`, rate),
  );
  return [...curve, ...byKind];
}

/** With Wilson's bounds, between which the true share is 95 times of 100. */
function withBounds(name: string, { count, of }: Rate): Figure[] {
  return [
    percentage(`${name} (${count} of ${of})`, { count, of }),
    figure(`${name}: at least`, 100 * wilsonLower(count, of, Z_95), '%'),
    figure(`${name}: at most`, 100 * (1 - wilsonLower(of - count, of, Z_95)), '%'),
  ];
}

function percentage(name: string, { count, of }: Rate): Figure {
  return figure(name, of === 0 ? 0 : (100 * count) / of, '%');
}
