import type { z } from 'zod';
import { mayUse, refuseModel } from '../../auth/index.js';
import type { ServedModel } from '../../gateway/models.js';
import type { ApiContext } from '../context.js';
import type { Exchange } from '../exchange.js';
import type { modelCard } from '../schemas/others.js';

export function listModels(exchange: Exchange, api: ApiContext): void {
  const usable = api.gateway.models.list().filter((model) => mayUse(exchange.caller, model.id));
  exchange.json(200, { object: 'list', data: usable.map(cardOf) });
}

export function getModel(exchange: Exchange, api: ApiContext, name: string): void {
  const model = api.gateway.models.resolve(name);
  refuseModel(exchange.caller, name, model.id);
  exchange.json(200, cardOf(model));
}

function cardOf({ id, engine }: ServedModel): z.output<typeof modelCard> {
  const { architecture, parameters, sizeBytes, vocabSize, trainContext, chatTemplate } = engine.model;
  return {
    id,
    object: 'model',
    created: Math.floor(engine.createdAtMs / 1000),
    owned_by: 'sluice',
    max_model_len: engine.maxContext,
    meta: {
      architecture,
      parameters,
      size_bytes: sizeBytes,
      vocab_size: vocabSize,
      train_context: trainContext,
      chat_template: chatTemplate !== '',
    },
  };
}
