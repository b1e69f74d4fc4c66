import { type ApiContext, refuseDraining } from '../context.js';
import type { Exchange } from '../exchange.js';
import { chatGeneration, completionGeneration, respond } from '../generation.js';
import { readJson } from '../json.js';
import { chatRequest } from '../schemas/chat.js';
import { completionRequest } from '../schemas/completions.js';

export async function completions(exchange: Exchange, api: ApiContext): Promise<void> {
  refuseDraining(api);
  const wire = await readJson(exchange, api.body, completionRequest);
  await respond(exchange, api, completionGeneration(api, exchange.caller, wire));
}

export async function chatCompletions(exchange: Exchange, api: ApiContext): Promise<void> {
  refuseDraining(api);
  const wire = await readJson(exchange, api.body, chatRequest);
  await respond(exchange, api, chatGeneration(api, exchange.caller, wire));
}
