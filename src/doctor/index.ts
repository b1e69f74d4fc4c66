import { checkAttention } from './attention.js';
import type { Check } from './check.js';
import { checkNative } from './native.js';
import { checkServing, type ServingOptions } from './serving.js';
import { checkSystem } from './system.js';
import { checkWeights } from './weights.js';

export type { Check } from './check.js';

/** Everything Sluice needs of the machine, in the order in which it needs it. Nothing is changed or downloaded. */
export async function examine(options: ServingOptions): Promise<Check[]> {
  const [native, serving] = await Promise.all([checkNative(), checkServing(options)]);
  return [...checkSystem(), ...native, ...serving, ...(await checkWeights()), ...(await checkAttention())];
}
