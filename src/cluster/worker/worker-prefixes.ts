import type { PinnedPrefix } from '../../engine/types.js';
import type { ServedModel } from '../../gateway/models.js';
import { type PrefixContent, type PrefixStore, prefixTokens } from '../../gateway/prefixes.js';
import type { SharedPrefixes } from '../prefixes/shared-prefixes.js';

interface Kept {
  tenant: string;
  id: string;
  createdAtMs: number;
}

/**
 * Pinned prefixes as a worker has them: contents are all workers', and the engine keeps those that its requests have begun
 * with, until they are removed.
 */
export class WorkerPrefixes implements PrefixStore {
  readonly #served: ServedModel;
  readonly #shared: SharedPrefixes;
  readonly #onFault: (message: string, details: object) => void;
  readonly #kept = new Map<string, Kept>();

  constructor(
    served: ServedModel,
    shared: SharedPrefixes,
    onFault: (message: string, details: object) => void,
  ) {
    this.#served = served;
    this.#shared = shared;
    this.#onFault = onFault;
  }

  async add(_model: string, tenant: string, id: string, content: PrefixContent): Promise<void> {
    await this.#shared.add(tenant, id, content);
    await this.#release(tenant, id); // of an earlier try
  }

  /** The engine has it. */
  async computed(pinned: PinnedPrefix): Promise<void> {
    const { tenant, id, createdAtMs } = pinned;
    this.#kept.set(nameOf(tenant, id), { tenant, id, createdAtMs });
    await this.#shared.describe(pinned);
  }

  async get(_model: string, tenant: string, id: string): Promise<PrefixContent> {
    const { content, createdAtMs } = await this.#shared.use(tenant, id);
    const kept = this.#kept.get(nameOf(tenant, id));
    if (createdAtMs !== null && kept?.createdAtMs !== createdAtMs)
      this.#keep({ tenant, id, createdAtMs }, content).catch((error: Error) =>
        this.#onFault('a prefix could not be pinned', { prefix: id, reason: error.message }),
      );
    return content;
  }

  /** It could not be computed here. */
  async delete(_model: string, tenant: string, id: string): Promise<void> {
    await this.#shared.remove(tenant, id, { unlessComputed: true });
  }

  /** Lets go of what was removed, at whichever gateway. */
  async releaseRemoved(): Promise<void> {
    const tenants = new Set(Array.from(this.#kept.values(), ({ tenant }) => tenant));
    for (const tenant of tenants) {
      const there = new Map(
        (await this.#shared.list(tenant)).map(({ id, createdAtMs }) => [id, createdAtMs]),
      );
      for (const kept of this.#kept.values())
        if (kept.tenant === tenant && there.get(kept.id) !== kept.createdAtMs)
          await this.#release(tenant, kept.id);
    }
  }

  /** The request that it is for is computed meanwhile, and the engine computes what both begin with once. */
  async #keep(kept: Kept, content: PrefixContent): Promise<void> {
    const { tenant, id } = kept;
    const name = nameOf(tenant, id);
    if (this.#kept.has(name)) await this.#release(tenant, id);
    this.#kept.set(name, kept);
    try {
      const tokens =
        content.kind === 'text' ? content.tokens : await prefixTokens(this.#served, content.messages);
      await this.#served.engine.pinPrefix(tenant, id, tokens);
    } catch (error) {
      if (this.#kept.get(name) === kept) this.#kept.delete(name);
      throw error;
    }
  }

  async #release(tenant: string, id: string): Promise<void> {
    this.#kept.delete(nameOf(tenant, id));
    await this.#served.engine.unpinPrefix(tenant, id);
  }
}

function nameOf(tenant: string, id: string): string {
  return JSON.stringify([tenant, id]);
}
