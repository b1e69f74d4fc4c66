import { z } from 'zod';
import { type Check, ok, warn } from './check.js';
import { runProbe } from './program.js';

const outputSchema = z.object({ detail: z.string().nullable() });

/** How the default model's weights would be loaded; nothing where the model isn't here. */
export async function checkWeights(): Promise<Check[]> {
  const result = await runProbe('repack', (output) => outputSchema.parse(output));
  if ('failed' in result) return [warn('Weights', result.failed, 'Serve with --repack off.')];
  return result.detail === null ? [] : [ok('Weights', result.detail)];
}
