import type { PinnedPrefix } from '../engine/types.js';
import type { ModelTools, PrefixSource } from '../routing/model-tools.js';
import type { ServedModel } from './models.js';
import { type PrefixStore, pinPrefix } from './prefixes.js';

/** Of a model in this process. */
export class LocalTools implements ModelTools {
  readonly #served: ServedModel;
  readonly #prefixes: PrefixStore;

  constructor(served: ServedModel, prefixes: PrefixStore) {
    this.#served = served;
    this.#prefixes = prefixes;
  }

  tokenize(text: string, options: { addSpecial: boolean; parseSpecial: boolean }): Promise<Int32Array> {
    return this.#served.text.tokenize(text, options);
  }

  detokenize(tokens: Int32Array, options: { special: boolean }): Promise<string> {
    return this.#served.text.detokenize(tokens, options);
  }

  pinPrefix(tenant: string, id: string, source: PrefixSource): Promise<PinnedPrefix> {
    return pinPrefix(this.#served, this.#prefixes, tenant, id, source);
  }

  listPrefixes(tenant: string): Promise<PinnedPrefix[]> {
    return this.#served.engine.listPrefixes(tenant);
  }

  async unpinPrefix(tenant: string, id: string): Promise<boolean> {
    const { engine, id: model } = this.#served;
    await this.#prefixes.delete(model, tenant, id);
    return await engine.unpinPrefix(tenant, id);
  }
}
