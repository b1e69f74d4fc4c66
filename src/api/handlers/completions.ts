import { type ApiContext, refuseDraining } from '../context.js';
import type { Exchange } from '../exchange.js';
import { chatGeneration, completionGeneration, respond, type Sender } from '../generation.js';
import { readJson } from '../json.js';
import { chatRequest } from '../schemas/chat.js';
import { completionRequest } from '../schemas/completions.js';

export async function completions(exchange: Exchange, api: ApiContext): Promise<void> {
  refuseDraining(api);
  const wire = await readJson(exchange, api.body, completionRequest);
  await respond(exchange, api, completionGeneration(api, senderOf(exchange), wire));
}

export async function chatCompletions(exchange: Exchange, api: ApiContext): Promise<void> {
  refuseDraining(api);
  const wire = await readJson(exchange, api.body, chatRequest);
  await respond(exchange, api, chatGeneration(api, senderOf(exchange), wire));
}

function senderOf(exchange: Exchange): Sender {
  return { caller: exchange.caller, cacheControl: exchange.header('cache-control') };
}
