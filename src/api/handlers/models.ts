import type { z } from 'zod';
import { mayUse, refuseModel } from '../../auth/index.js';
import { SluiceError } from '../../errors.js';
import { LocalTarget } from '../../gateway/local-target.js';
import type { Deployment } from '../../routing/deployment.js';
import type { ApiContext } from '../context.js';
import type { Exchange } from '../exchange.js';
import type { modelCard } from '../schemas/others.js';

export function listModels(exchange: Exchange, api: ApiContext): void {
  const { caller } = exchange;
  const usable = api.gateway.router.fleet
    .list()
    .filter(({ id, spec }) => [id, ...spec.aliases].some((name) => mayUse(caller, name)));
  exchange.json(200, { object: 'list', data: usable.map(cardOf) });
}

export function getModel(exchange: Exchange, api: ApiContext, name: string): void {
  const deployment = api.gateway.router.fleet.find(name);
  if (!deployment)
    throw new SluiceError('model_not_found', `The model ${JSON.stringify(name)} isn't served here.`, {
      param: 'model',
    });
  refuseModel(exchange.caller, name, deployment.id);
  exchange.json(200, cardOf(deployment));
}

function cardOf({ id, createdMs, contextTokens, target, spec }: Deployment): z.output<typeof modelCard> {
  const engine = target instanceof LocalTarget ? target.served.engine : null;
  return {
    id,
    object: 'model',
    created: Math.floor((engine?.createdAtMs ?? createdMs) / 1000),
    owned_by: spec.upstream ? 'upstream' : 'sluice',
    max_model_len: contextTokens,
    meta: engine
      ? {
          architecture: engine.model.architecture,
          parameters: engine.model.parameters,
          size_bytes: engine.model.sizeBytes,
          vocab_size: engine.model.vocabSize,
          train_context: engine.model.trainContext,
          chat_template: engine.model.chatTemplate !== '',
        }
      : null,
  };
}
