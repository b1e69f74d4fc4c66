import { z } from 'zod';
import type { CustomGuard } from '../../config/index.js';
import type { RemoteGuard } from './index.js';
import { postJson } from './post.js';

const answerSchema = z.object({
  results: z.array(
    z.object({
      categories: z.record(z.string(), z.boolean().nullable()),
      category_scores: z.record(z.string(), z.number()),
    }),
  ),
});

/** Any endpoint with OpenAI's wire for moderations. What it flags counts, whatever the score. */
export function moderationEndpoint(
  { url, model, apiKeyEnv }: NonNullable<CustomGuard['moderation']>,
  env: NodeJS.ProcessEnv,
): RemoteGuard {
  return async (texts, _, signal) => {
    const key = apiKeyEnv === undefined ? undefined : env[apiKeyEnv];
    const headers = {
      'content-type': 'application/json',
      ...(key === undefined ? {} : { authorization: `Bearer ${key}` }),
    };
    const input = texts.map(({ text }) => text);
    const address = `${url.replace(/\/$/, '')}/moderations`;
    const body = JSON.stringify({ input, ...(model === undefined ? {} : { model }) });
    const { results } = answerSchema.parse(await postJson(address, body, headers, signal));
    if (results.length !== texts.length)
      throw new Error('the endpoint answered for other texts than were sent');
    return results.map(({ categories, category_scores: scores }, index) =>
      Object.entries(categories).flatMap(([category, isFlagged]) => {
        if (!isFlagged) return [];
        const score = Math.min(1, Math.max(0, scores[category] ?? 1));
        return [
          { start: 0, end: texts[index]!.text.length, category, score, isValidated: false, detail: null },
        ];
      }),
    );
  };
}
