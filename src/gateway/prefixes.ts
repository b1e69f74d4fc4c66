import type { PinnedPrefix } from '../engine/types.js';
import { SluiceError } from '../errors.js';
import type { ChatMessage } from '../generation/types.js';
import type { ServedModel } from './models.js';
import { checkTokens, contextExceeded, tokenizePrompt } from './prompts.js';

/** What a pinned prefix stands for, kept beside the engine's pages: later prompts are appended to it. */
export type PrefixContent = { kind: 'text'; tokens: Int32Array } | { kind: 'chat'; messages: ChatMessage[] };

/** Contents of the pinned prefixes, by model, tenant and id; bounded per tenant and model. */
export class PrefixRegistry {
  readonly #contents = new Map<string, Map<string, PrefixContent>>();
  readonly #maxPerTenant: number;

  constructor(maxPerTenant: number) {
    this.#maxPerTenant = maxPerTenant;
  }

  /** Throws duplicate_id, or invalid_request where the tenant has as many as allowed. */
  add(modelId: string, tenant: string, id: string, content: PrefixContent): void {
    const scope = scopeKey(modelId, tenant);
    const owned = this.#contents.get(scope) ?? new Map<string, PrefixContent>();
    if (owned.has(id)) {
      throw new SluiceError('duplicate_id', `There is a prefix ${JSON.stringify(id)} already.`, {
        param: 'id',
      });
    }
    if (owned.size >= this.#maxPerTenant) {
      throw new SluiceError(
        'invalid_request',
        `At most ${this.#maxPerTenant} prefixes can be pinned; delete one first.`,
      );
    }
    owned.set(id, content);
    this.#contents.set(scope, owned);
  }

  get(modelId: string, tenant: string, id: string): PrefixContent {
    const content = this.#contents.get(scopeKey(modelId, tenant))?.get(id);
    if (content) return content;
    throw new SluiceError('not_found', `There is no prefix ${JSON.stringify(id)}.`, { param: 'prefix_id' });
  }

  /** The model's engine is gone, and what it had computed. */
  forgetModel(modelId: string): void {
    for (const scope of this.#contents.keys())
      if (scope.startsWith(scopeKey(modelId, ''))) this.#contents.delete(scope);
  }

  delete(modelId: string, tenant: string, id: string): void {
    this.#contents.get(scopeKey(modelId, tenant))?.delete(id);
  }
}

/** Computes the prefix's KV and keeps it until it is unpinned. Throws duplicate_id and what the engine throws. */
export async function pinPrefix(
  model: ServedModel,
  registry: PrefixRegistry,
  tenant: string,
  id: string,
  source: string | Int32Array | ChatMessage[],
): Promise<PinnedPrefix> {
  const tokens = await tokensOf(model, source);
  registry.add(
    model.id,
    tenant,
    id,
    Array.isArray(source) ? { kind: 'chat', messages: source } : { kind: 'text', tokens },
  );
  try {
    return await model.engine.pinPrefix(tenant, id, tokens);
  } catch (error) {
    registry.delete(model.id, tenant, id);
    throw error;
  }
}

/** False where there was none of that id. */
export async function unpinPrefix(
  model: ServedModel,
  registry: PrefixRegistry,
  tenant: string,
  id: string,
): Promise<boolean> {
  registry.delete(model.id, tenant, id);
  return await model.engine.unpinPrefix(tenant, id);
}

async function tokensOf(
  model: ServedModel,
  source: string | Int32Array | ChatMessage[],
): Promise<Int32Array> {
  const param = Array.isArray(source) ? 'messages' : 'prompt';
  const tokens = await tokenizeSource(model, source);
  checkTokens(model, tokens, param);
  if (tokens.length < model.engine.maxContext) return tokens;
  throw contextExceeded(model, `${tokens.length} in the prefix`, param);
}

async function tokenizeSource(
  model: ServedModel,
  source: string | Int32Array | ChatMessage[],
): Promise<Int32Array> {
  if (typeof source === 'string') return await tokenizePrompt(model, source, true, 'prompt');
  if (!Array.isArray(source)) return source;
  const rendered = await model.text.chat(JSON.stringify({ messages: source, add_generation_prompt: false }));
  return rendered.tokens;
}

function scopeKey(modelId: string, tenant: string): string {
  return JSON.stringify([modelId, tenant]);
}
