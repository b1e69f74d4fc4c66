import { z } from 'zod';
import { asksTheSame } from '../../src/cache/semantic/cross-check.js';
import type { AskModel } from '../../src/cache/types.js';
import { configSchema } from '../../src/config/schema.js';
import { percentile } from '../../src/support/percentile.js';
import { wilsonLower } from '../../src/support/wilson.js';
import { createEmbedder } from '../embedder.js';
import { readHalf } from '../semantic-cache/generate.js';
import {
  crossChecked,
  falseHitsByKind,
  type Judged,
  judge,
  type Rate,
  scoresAt,
} from '../semantic-cache/measure.js';
import { type Figure, figure, type Outcome, type Progress } from './outcome.js';

export const semanticCacheOptionsSchema = z.object({
  half: z.enum(['tune', 'test']).default('test'),
  model: z.string().default('all-minilm-l6-v2'),
  crossCheck: z.url().optional(), // a server
});

type Options = z.output<typeof semanticCacheOptionsSchema>;

const Z_95 = 1.96;
const thresholds = [0.7, 0.75, 0.8, 0.85, 0.9, 0.95];

/** How many questions in other words the semantic cache would answer, and how many near-duplicates it would answer wrongly. */
export async function semanticCache(
  { half, model, crossCheck }: Options,
  progress: Progress,
): Promise<Outcome> {
  const pairs = readHalf(half);
  const embedder = await createEmbedder(model);
  try {
    const judged = await judge(pairs, embedder, (done, of) => progress(`${done} of ${of} questions`));
    return {
      scenario: 'semantic-cache',
      options: { half, model, pairs: pairs.length },
      runs: [],
      comparisons: [],
      figures: [...figuresOf(judged), ...(crossCheck ? await crossCheckFigures(judged, crossCheck) : [])],
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

/** At the default bounds, with the default model of a server asked as the cache asks it. */
async function crossCheckFigures(judged: readonly Judged[], url: string): Promise<Figure[]> {
  const { minCosine, crossCheckMinCosine } = configSchema.parse({}).semanticCache;
  const tookMs: number[] = [];
  const checked = await crossChecked(judged, crossCheckMinCosine, async ({ first, second }) => {
    const startedMs = performance.now();
    const isSame = await asksTheSame(askServer(url), '', [first, second], new AbortController().signal);
    tookMs.push(performance.now() - startedMs);
    return isSame;
  });
  const { hits, falseHits } = scoresAt(checked, minCosine, true);
  return [
    figure('pairs that the model was asked about', tookMs.length, ''),
    figure('time that its word took, median', percentile(Float64Array.from(tookMs).sort(), 0.5), 'ms'),
    ...withBounds(`hits at ${minCosine} with its word`, hits),
    ...withBounds(`false hits at ${minCosine} with its word`, falseHits),
  ];
}

const answer = z.object({
  choices: z.array(z.object({ message: z.object({ content: z.string() }) })).min(1),
});

function askServer(url: string): AskModel {
  return async (_, { messages, grammar, maxTokens }, signal) => {
    const response = await fetch(new URL('/v1/chat/completions', url), {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ messages, grammar, max_tokens: maxTokens, temperature: 0 }),
      signal,
    });
    if (!response.ok) throw new Error(`the server answered ${response.status}: ${await response.text()}`);
    return answer.parse(await response.json()).choices[0]!.message.content;
  };
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
