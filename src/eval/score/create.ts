import type { ScorerSpec } from '../suite/schema.js';
import { customScorer } from './custom.js';
import { embedding } from './embedding.js';
import { json } from './json.js';
import { judged } from './judged.js';
import { choice, perplexity } from './likelihood.js';
import { numeric } from './number.js';
import { f1, rouge } from './overlap.js';
import { type Scorer, score } from './scorer.js';
import { contains, exact, normalisedMatch, regex } from './text.js';

/** Throws what is wrong with a pattern, schema or module. `directory` is where modules are looked for. */
export async function createScorer(spec: ScorerSpec, directory: string): Promise<Scorer> {
  const scorer = await scorerOf(spec, directory);
  return spec.atLeast === undefined ? scorer : allOrNothing(scorer, spec.atLeast);
}

function allOrNothing(scorer: Scorer, atLeast: number): Scorer {
  return async (scored) => {
    const { value, detail } = await scorer(scored);
    if (value === null) return { value, detail };
    const graded = `${value.toFixed(2)} of ${atLeast}`;
    return score(value >= atLeast, detail === null ? graded : `${graded}: ${detail}`);
  };
}

async function scorerOf(spec: ScorerSpec, directory: string): Promise<Scorer> {
  switch (spec.type) {
    case 'exact':
      return exact;
    case 'normalised':
      return normalisedMatch;
    case 'contains':
      return contains(spec);
    case 'regex':
      return regex(spec);
    case 'number':
      return numeric(spec);
    case 'json':
      return json(spec);
    case 'choice':
      return choice(spec);
    case 'f1':
      return f1;
    case 'rouge':
      return rouge(spec);
    case 'embedding':
      return embedding(spec);
    case 'perplexity':
      return perplexity(spec);
    case 'judge':
      return judged(spec);
    case 'custom':
      return await customScorer(spec, directory);
  }
}
