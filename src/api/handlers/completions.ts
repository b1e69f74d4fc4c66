import { answerLater, isForLater } from '../background.js';
import { type ApiContext, refuseDraining } from '../context.js';
import type { Exchange } from '../exchange.js';
import {
  chatGeneration,
  completionGeneration,
  type Generation,
  respond,
  type Sender,
} from '../generation.js';
import { readJson } from '../json.js';
import { chatRequest } from '../schemas/chat.js';
import { completionRequest } from '../schemas/completions.js';

export async function completions(exchange: Exchange, api: ApiContext): Promise<void> {
  refuseDraining(api);
  const wire = await readJson(exchange, api.body, completionRequest);
  await answer(exchange, api, completionGeneration(api, senderOf(exchange), wire));
}

export async function chatCompletions(exchange: Exchange, api: ApiContext): Promise<void> {
  refuseDraining(api);
  const wire = await readJson(exchange, api.body, chatRequest);
  await answer(exchange, api, chatGeneration(api, senderOf(exchange), wire));
}

async function answer(exchange: Exchange, api: ApiContext, generation: Generation): Promise<void> {
  if (isForLater(exchange, generation)) await answerLater(exchange, api, generation);
  else await respond(exchange, api, generation);
}

function senderOf(exchange: Exchange): Sender {
  return { caller: exchange.caller, cacheControl: exchange.header('cache-control') };
}
