import { createHash } from 'node:crypto';
import type { Endpoint, EndpointPath, EndpointReply } from './endpoint.js';

/** Answers by the hash of what was asked. */
export interface AnswerStore {
  find(hash: string): { body: unknown; latencyMs: number } | null;
  keep(hash: string, answer: { body: unknown; latencyMs: number }): void;
}

/**
 * Asks nothing twice: the same request to the same model, seed included, has the answer that it had. `model` tells models apart
 * that have one name: a file's hash, or an address.
 */
export function keptEndpoint(endpoint: Endpoint, model: string, store: AnswerStore): Endpoint {
  return {
    post: async (path, body, signal): Promise<EndpointReply> => {
      const hash = hashOf(model, path, body);
      const kept = store.find(hash);
      if (kept) return { ...kept, isKept: true };
      const reply = await endpoint.post(path, body, signal);
      keep(store, hash, reply);
      return reply;
    },
  };
}

/** One that can't be kept is an answer all the same. */
function keep(store: AnswerStore, hash: string, { body, latencyMs }: EndpointReply): void {
  try {
    store.keep(hash, { body, latencyMs });
  } catch {
    // What it leads to is kept as well, and says why that can't be.
  }
}

function hashOf(model: string, path: EndpointPath, body: object): string {
  return createHash('sha256')
    .update(JSON.stringify([model, path, body]))
    .digest('hex');
}
