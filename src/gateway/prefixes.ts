import type { PinnedPrefix } from '../engine/types.js';
import { SluiceError } from '../errors.js';
import type { ChatMessage } from '../generation/types.js';
import type { PrefixSource } from '../routing/model-tools.js';
import type { ServedModel } from './models.js';
import { checkTokens, contextExceeded, tokenizePrompt } from './prompts.js';

/** What a pinned prefix stands for, kept beside the engine's pages: later prompts are appended to it. */
export type PrefixContent = { kind: 'text'; tokens: Int32Array } | { kind: 'chat'; messages: ChatMessage[] };

/** Contents of the pinned prefixes, by model, tenant and id; bounded per tenant and model. */
export interface PrefixStore {
  /** Rejects with duplicate_id, or invalid_request where the tenant has as many as allowed. */
  add(modelId: string, tenant: string, id: string, content: PrefixContent): Promise<void>;
  /** Rejects with not_found. */
  get(modelId: string, tenant: string, id: string): Promise<PrefixContent>;
  delete(modelId: string, tenant: string, id: string): Promise<void>;
}

/** In the memory of this process, for the models in it. */
export class PrefixRegistry implements PrefixStore {
  readonly #contents = new Map<string, Map<string, PrefixContent>>();
  readonly #maxPerTenant: number;

  constructor(maxPerTenant: number) {
    this.#maxPerTenant = maxPerTenant;
  }

  async add(modelId: string, tenant: string, id: string, content: PrefixContent): Promise<void> {
    const scope = scopeKey(modelId, tenant);
    const owned = this.#contents.get(scope) ?? new Map<string, PrefixContent>();
    if (owned.has(id)) throw duplicatePrefix(id);
    if (owned.size >= this.#maxPerTenant) throw tooManyPrefixes(this.#maxPerTenant);
    owned.set(id, content);
    this.#contents.set(scope, owned);
  }

  async get(modelId: string, tenant: string, id: string): Promise<PrefixContent> {
    const content = this.#contents.get(scopeKey(modelId, tenant))?.get(id);
    if (content) return content;
    throw noPrefix(id);
  }

  /** The model's engine is gone, and what it had computed. */
  forgetModel(modelId: string): void {
    for (const scope of this.#contents.keys())
      if (scope.startsWith(scopeKey(modelId, ''))) this.#contents.delete(scope);
  }

  async delete(modelId: string, tenant: string, id: string): Promise<void> {
    this.#contents.get(scopeKey(modelId, tenant))?.delete(id);
  }
}

/** Computes the prefix's KV and keeps it until it is unpinned. Rejects as PrefixStore.add and the engine do. */
export async function pinPrefix(
  model: ServedModel,
  store: PrefixStore,
  tenant: string,
  id: string,
  source: PrefixSource,
): Promise<PinnedPrefix> {
  const tokens = await prefixTokens(model, source);
  const content: PrefixContent = Array.isArray(source)
    ? { kind: 'chat', messages: source }
    : { kind: 'text', tokens };
  await store.add(model.id, tenant, id, content);
  try {
    return await model.engine.pinPrefix(tenant, id, tokens);
  } catch (error) {
    await store.delete(model.id, tenant, id);
    throw error;
  }
}

export function duplicatePrefix(id: string): SluiceError {
  return new SluiceError('duplicate_id', `There is a prefix ${JSON.stringify(id)} already.`, { param: 'id' });
}

export function tooManyPrefixes(max: number): SluiceError {
  return new SluiceError('invalid_request', `At most ${max} prefixes can be pinned; delete one first.`);
}

export function noPrefix(id: string): SluiceError {
  return new SluiceError('not_found', `There is no prefix ${JSON.stringify(id)}.`, { param: 'prefix_id' });
}

/** What a prefix is to the engine. Rejects with context_length_exceeded and invalid_value. */
export async function prefixTokens(model: ServedModel, source: PrefixSource): Promise<Int32Array> {
  const param = Array.isArray(source) ? 'messages' : 'prompt';
  const tokens = await tokenizeSource(model, source);
  checkTokens(model, tokens, param);
  if (tokens.length < model.engine.maxContext) return tokens;
  throw contextExceeded(model, `${tokens.length} in the prefix`, param);
}

async function tokenizeSource(model: ServedModel, source: PrefixSource): Promise<Int32Array> {
  if (typeof source === 'string') return await tokenizePrompt(model, source, true, 'prompt');
  if (!Array.isArray(source)) return source;
  const rendered = await model.text.chat(JSON.stringify({ messages: source, add_generation_prompt: false }));
  return rendered.tokens;
}

function scopeKey(modelId: string, tenant: string): string {
  return JSON.stringify([modelId, tenant]);
}
