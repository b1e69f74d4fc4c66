import { z } from 'zod';
import type { GuardUse } from '../../config/index.js';
import { when } from '../when.js';

const textsByName = z.record(z.string().min(1), z.array(z.string().min(1).max(4096)).min(1).max(10_000));
const cosine = z.number().min(0).max(1);

export const similaritySchema = z.discriminatedUnion('task', [
  z.strictObject({
    task: z.literal('attacks'),
    attacks: textsByName.default({}), // beside those that are known, by category
    minCosine: cosine.default(0.55),
    when: when.default('unsure'),
  }),
  z.strictObject({
    task: z.literal('topics'),
    topics: textsByName, // examples of each
    allow: z.array(z.string()).default([]), // where any is named, a text has to be about one of them
    deny: z.array(z.string()).default([]),
    minCosine: cosine.default(0.4),
    when: when.default('always'),
  }),
  z.strictObject({
    task: z.literal('grounding'),
    minCosine: cosine.default(0.5), // of a sentence to the nearest of its sources
    when: when.default('always'),
  }),
]);

export type SimilarityOptions = z.output<typeof similaritySchema>;

export function similarityOptions(use: GuardUse): SimilarityOptions {
  return similaritySchema.parse(use.options);
}
