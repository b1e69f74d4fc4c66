import type { PinnedPrefix } from '../../engine/types.js';
import type { ModelTools, PrefixSource } from '../../routing/model-tools.js';
import type { SharedPrefixes } from '../prefixes/shared-prefixes.js';
import type { Calls, Workers } from './calls.js';

/** Of a model that workers serve: one of them is called; lists of prefixes are in Redis. */
export class RemoteTools implements ModelTools {
  readonly #calls: Calls;
  readonly #workers: Workers;
  readonly #prefixes: SharedPrefixes;

  constructor(calls: Calls, workers: Workers, prefixes: SharedPrefixes) {
    this.#calls = calls;
    this.#workers = workers;
    this.#prefixes = prefixes;
  }

  tokenize(text: string, options: { addSpecial: boolean; parseSpecial: boolean }): Promise<Int32Array> {
    return this.#calls.call(this.#workers, 'tokenize', { text, ...options });
  }

  detokenize(tokens: Int32Array, options: { special: boolean }): Promise<string> {
    return this.#calls.call(this.#workers, 'detokenize', { tokens, ...options });
  }

  async pinPrefix(tenant: string, id: string, source: PrefixSource): Promise<PinnedPrefix> {
    try {
      return await this.#calls.call(this.#workers, 'pinPrefix', { tenant, id, source });
    } catch (error) {
      // A worker may have died over it. What another has computed under this id stays.
      await this.#prefixes.remove(tenant, id, { unlessComputed: true }).catch(() => undefined);
      throw error;
    }
  }

  listPrefixes(tenant: string): Promise<PinnedPrefix[]> {
    return this.#prefixes.list(tenant);
  }

  unpinPrefix(tenant: string, id: string): Promise<boolean> {
    return this.#prefixes.remove(tenant, id);
  }
}
