import type { z } from 'zod';
import { injectionProbeSchema } from './builtin/injection-probe.js';
import { languageModelSchema } from './remote/language-model.js';
import { similaritySchema } from './similarity/options.js';
import type { CostClass } from './types.js';

/** Options of the guards that take long, which may be asked only where the injection guard is unsure. */
export const slowOptions: Partial<
  Record<CostClass, { schema: z.ZodType<{ when: 'always' | 'unsure' }>; fault: string }>
> = {
  embedding: { schema: similaritySchema, fault: 'its options need a task, and what that takes' },
  probe: { schema: injectionProbeSchema, fault: 'its only option is when: always or unsure' },
  model: { schema: languageModelSchema, fault: 'its options need a model and a task' },
};
