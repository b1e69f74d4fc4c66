import type { z } from 'zod';
import type { PinnedPrefix } from '../../engine/types.js';
import { SluiceError } from '../../errors.js';
import { allTools, withTools } from '../../gateway/tools.js';
import type { ChatInput, TextInput } from '../../generation/types.js';
import { type ApiContext, newId, refuseDraining } from '../context.js';
import type { Exchange } from '../exchange.js';
import { readJson } from '../json.js';
import { type prefix, prefixRequest } from '../schemas/others.js';
import { chatMessagesOf } from '../validate.js';

export async function createPrefix(exchange: Exchange, api: ApiContext): Promise<void> {
  refuseDraining(api);
  const wire = await readJson(exchange, api.body, prefixRequest);
  const { guards, router } = api.gateway;
  const { caller } = exchange;
  const id = wire.id ?? newId('prefix');
  const pinned = await withTools(router.fleet, caller, wire.model ?? null, async ({ modelId, tools }) => {
    const input = await guards.letIn(id, caller, inputOf(wire));
    const source = input.kind === 'chat' ? input.messages : input.prompts[0]!;
    return shown(modelId, await tools.pinPrefix(caller.tenant, id, source));
  });
  exchange.json(200, pinned);
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
    allTools(api.gateway.router.fleet).map(async ({ modelId, tools }) => {
      return (await tools.listPrefixes(tenant)).map((pinned) => shown(modelId, pinned));
    }),
  );
  exchange.json(200, { object: 'list', data: lists.flat() });
}

export async function deletePrefix(exchange: Exchange, api: ApiContext, id: string): Promise<void> {
  const { tenant } = exchange.caller;
  const results = await Promise.all(
    allTools(api.gateway.router.fleet).map(({ tools }) => tools.unpinPrefix(tenant, id)),
  );
  if (!results.includes(true))
    throw new SluiceError('not_found', `There is no prefix ${JSON.stringify(id)}.`);
  exchange.json(200, { id, object: 'prefix', deleted: true });
}

function shown(model: string, pinned: PinnedPrefix): z.output<typeof prefix> {
  const { id, tokens, pages, hits, createdAtMs } = pinned;
  return { id, object: 'prefix', created: Math.floor(createdAtMs / 1000), model, tokens, pages, hits };
}
