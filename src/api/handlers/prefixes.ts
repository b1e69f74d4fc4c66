import type { z } from 'zod';
import { refuseModel } from '../../auth/index.js';
import type { PinnedPrefix } from '../../engine/types.js';
import { SluiceError } from '../../errors.js';
import { pinPrefix, unpinPrefix } from '../../gateway/prefixes.js';
import type { ChatInput, TextInput } from '../../generation/types.js';
import { type ApiContext, newId, refuseDraining } from '../context.js';
import type { Exchange } from '../exchange.js';
import { readJson } from '../json.js';
import { type prefix, prefixRequest } from '../schemas/others.js';
import { chatMessagesOf } from '../validate.js';

export async function createPrefix(exchange: Exchange, api: ApiContext): Promise<void> {
  refuseDraining(api);
  const wire = await readJson(exchange, api.body, prefixRequest);
  const model = api.gateway.models.resolve(wire.model ?? null);
  refuseModel(exchange.caller, wire.model ?? null, model.id);
  const id = wire.id ?? newId('prefix');
  const input = await api.gateway.guards.letIn(id, exchange.caller, inputOf(wire));
  const pinned = await pinPrefix(
    model,
    api.gateway.prefixes,
    exchange.caller.tenant,
    id,
    input.kind === 'chat' ? input.messages : input.prompts[0]!,
  );
  exchange.json(200, shown(model.id, pinned));
}

function inputOf(wire: z.output<typeof prefixRequest>): ChatInput | TextInput {
  if (wire.messages !== undefined)
    return { kind: 'chat', messages: chatMessagesOf(wire.messages), options: {} };
  const prompt = typeof wire.prompt === 'string' ? wire.prompt : Int32Array.from(wire.prompt ?? []);
  return { kind: 'text', prompts: [prompt], echo: false, promptLogprobs: -1 };
}

export async function listPrefixes(exchange: Exchange, api: ApiContext): Promise<void> {
  const { tenant } = exchange.caller;
  const lists = await Promise.all(
    api.gateway.models.list().map(async ({ id, engine }) => {
      return (await engine.listPrefixes(tenant)).map((pinned) => shown(id, pinned));
    }),
  );
  exchange.json(200, { object: 'list', data: lists.flat() });
}

export async function deletePrefix(exchange: Exchange, api: ApiContext, id: string): Promise<void> {
  const { tenant } = exchange.caller;
  const results = await Promise.all(
    api.gateway.models.list().map((model) => unpinPrefix(model, api.gateway.prefixes, tenant, id)),
  );
  if (!results.includes(true))
    throw new SluiceError('not_found', `There is no prefix ${JSON.stringify(id)}.`);
  exchange.json(200, { id, object: 'prefix', deleted: true });
}

function shown(model: string, pinned: PinnedPrefix): z.output<typeof prefix> {
  const { id, tokens, pages, hits, createdAtMs } = pinned;
  return { id, object: 'prefix', created: Math.floor(createdAtMs / 1000), model, tokens, pages, hits };
}
