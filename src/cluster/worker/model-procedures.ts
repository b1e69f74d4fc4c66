import type { LocalTarget } from '../../gateway/local-target.js';
import { pinnedPrefixName } from '../placement/prefix.js';
import type { Procedures } from '../wire.js';
import type { Worker } from './worker.js';
import type { WorkerPrefixes } from './worker-prefixes.js';

/** What gateways can call a worker with a model for. */
export function modelProcedures(
  { tools }: LocalTarget,
  prefixes: WorkerPrefixes,
  worker: Worker,
): Pick<Procedures, 'tokenize' | 'detokenize' | 'pinPrefix'> {
  return {
    tokenize: ({ text, ...options }) => tools.tokenize(text, options),
    detokenize: ({ tokens, ...options }) => tools.detokenize(tokens, options),
    pinPrefix: async ({ tenant, id, source }) => {
      const pinned = await tools.pinPrefix(tenant, id, source);
      await prefixes.computed(pinned);
      worker.hold([pinnedPrefixName(tenant, id)]);
      return pinned;
    },
  };
}
