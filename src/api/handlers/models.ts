import type { z } from 'zod';
import type { ServedModel } from '../../gateway/models.js';
import type { ApiContext } from '../context.js';
import type { Exchange } from '../exchange.js';
import type { modelCard } from '../schemas/others.js';

export function listModels(exchange: Exchange, api: ApiContext): void {
  exchange.json(200, { object: 'list', data: api.gateway.models.list().map(cardOf) });
}

export function getModel(exchange: Exchange, api: ApiContext, name: string): void {
  exchange.json(200, cardOf(api.gateway.models.resolve(name)));
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
