import { availableParallelism } from 'node:os';
import { z } from 'zod';
import { resolveModel } from '../../src/models/index.js';
import { type PeerName, type PeerSetup, peerNames, prepareLlamaServer } from '../servers/peers.js';

const peerList = z
  .string()
  .transform((text) => text.split(','))
  .pipe(z.array(z.enum(peerNames)).min(1));

/** Options of every scenario that starts servers itself. */
export const peerOptionsSchema = z.object({
  model: z.string().optional(),
  threads: z.coerce.number().int().min(1).max(1024).default(availableParallelism()),
  llamaServer: z.string().optional(),
  seed: z.coerce
    .number()
    .int()
    .min(0)
    .max(2 ** 32 - 1),
});

export const comparedOptionsSchema = peerOptionsSchema.extend({
  peers: peerList,
  rounds: z.coerce.number().int().min(1).max(100),
});

export async function prepareSetup(
  options: z.output<typeof peerOptionsSchema>,
  peers: readonly PeerName[],
): Promise<PeerSetup> {
  const model = await resolveModel(options.model ?? null);
  return {
    modelPath: model.path,
    threads: options.threads,
    llamaServer: peers.includes('llama-server')
      ? await prepareLlamaServer(options.llamaServer ?? null)
      : null,
  };
}
