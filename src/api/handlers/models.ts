import type { z } from 'zod';
import { mayUse, refuseModel } from '../../auth/index.js';
import type { Embedder } from '../../embedding/index.js';
import { SluiceError } from '../../errors.js';
import type { Deployment } from '../../routing/deployment.js';
import type { ApiContext } from '../context.js';
import type { Exchange } from '../exchange.js';
import type { modelCard } from '../schemas/others.js';

export function listModels(exchange: Exchange, api: ApiContext): void {
  const { caller } = exchange;
  const usable = api.gateway.router.fleet
    .list()
    .filter(({ id, spec }) => [id, ...spec.aliases].some((name) => mayUse(caller, name)));
  const encoder = api.gateway.embedder;
  const encoders = encoder && [...encoder.names].some((name) => mayUse(caller, name)) ? [encoder] : [];
  exchange.json(200, { object: 'list', data: [...usable.map(cardOf), ...encoders.map(encoderCardOf)] });
}

export function getModel(exchange: Exchange, api: ApiContext, name: string): void {
  const { router, embedder } = api.gateway;
  const deployment = router.fleet.find(name);
  const encoder = embedder?.names.has(name) ? embedder : null;
  const card = encoder ? encoderCardOf(encoder) : deployment && cardOf(deployment);
  if (!card)
    throw new SluiceError('model_not_found', `The model ${JSON.stringify(name)} isn't served here.`, {
      param: 'model',
    });
  refuseModel(exchange.caller, name, card.id);
  exchange.json(200, card);
}

function encoderCardOf({ modelId, createdAtMs, model }: Embedder): z.output<typeof modelCard> {
  return {
    id: modelId,
    object: 'model',
    created: Math.floor(createdAtMs / 1000),
    owned_by: 'sluice',
    task: 'embed',
    max_model_len: model?.maxTextTokens ?? null,
    meta: null,
  };
}

function cardOf({ id, createdMs, contextTokens, target, spec }: Deployment): z.output<typeof modelCard> {
  const card = target?.card ?? null;
  return {
    id,
    object: 'model',
    created: Math.floor(createdMs / 1000),
    owned_by: spec.upstream ? 'upstream' : 'sluice',
    task: 'generate',
    max_model_len: contextTokens,
    meta: card
      ? {
          architecture: card.architecture,
          parameters: card.parameters,
          size_bytes: card.sizeBytes,
          vocab_size: card.vocabSize,
          train_context: card.trainContext,
          chat_template: card.hasChatTemplate,
        }
      : null,
  };
}
