import type { z } from 'zod';
import { moderationCategories } from '../../guards/detect/moderation/categories.js';
import type { Hit } from '../../guards/types.js';
import { type ApiContext, newId } from '../context.js';
import type { Exchange } from '../exchange.js';
import { readJson } from '../json.js';
import { moderationRequest, type moderationResponse } from '../schemas/moderations.js';

const MODEL = 'sluice-moderation';

type Result = z.output<typeof moderationResponse>['results'][number];

/** OpenAI's wire, from the code of the moderation guard. Several parts are one text, as there. */
export async function moderations(exchange: Exchange, api: ApiContext): Promise<void> {
  const { input } = await readJson(exchange, api.body, moderationRequest);
  const id = newId('modr');
  const hits = await api.gateway.guards.moderate(id, exchange.caller.tenant, textsOf(input));
  exchange.json(200, { id, model: MODEL, results: hits.map(resultOf) });
}

function textsOf(input: z.output<typeof moderationRequest>['input']): string[] {
  if (typeof input === 'string') return [input];
  const parts = input.flatMap((part) => (typeof part === 'string' ? [] : [part.text]));
  if (parts.length > 0) return [parts.join('\n')];
  return input.filter((part) => typeof part === 'string');
}

function resultOf(hits: readonly Hit[]): Result {
  const of = <Value>(value: (hit: Hit | undefined) => Value) =>
    Object.fromEntries(
      moderationCategories.map((name) => [name, value(hits.find(({ category }) => category === name))]),
    ) as Record<(typeof moderationCategories)[number], Value>;
  return {
    flagged: hits.some(({ mode }) => mode === 'block'),
    categories: of((hit) => hit?.mode === 'block'),
    category_scores: of((hit) => hit?.score ?? 0),
    category_applied_input_types: of(() => ['text' as const]),
  };
}
