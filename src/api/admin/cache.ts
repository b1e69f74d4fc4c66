import type { z } from 'zod';
import type { PurgeSelector } from '../../cache/types.js';
import type { purgeRequest } from '../schemas/admin-cache.js';

export function selectorOf({
  tenant,
  model,
  key,
  prompt_prefix,
}: z.output<typeof purgeRequest>): PurgeSelector {
  return { tenant, model, key, promptPrefix: prompt_prefix };
}
