import { refuseModel } from '../../auth/index.js';
import { SluiceError } from '../../errors.js';
import type { ApiContext } from '../context.js';
import type { Exchange } from '../exchange.js';
import { readJson } from '../json.js';
import { detokenizeRequest, tokenizeRequest } from '../schemas/others.js';
import { tokenText } from '../token-text.js';

export async function tokenize(exchange: Exchange, api: ApiContext): Promise<void> {
  const wire = await readJson(exchange, api.body, tokenizeRequest);
  const model = api.gateway.models.resolve(wire.model ?? null);
  refuseModel(exchange.caller, wire.model ?? null, model.id);
  const { engine, text } = model;
  const tokens = await text.tokenize(wire.content ?? wire.prompt ?? '', {
    addSpecial: wire.add_special ?? true,
    parseSpecial: wire.parse_special ?? true,
  });
  const shown = wire.with_pieces
    ? Array.from(tokens, (id) => ({ id, piece: tokenText(text.vocab, id) }))
    : Array.from(tokens);
  exchange.json(200, { tokens: shown, count: tokens.length, max_model_len: engine.maxContext });
}

export async function detokenize(exchange: Exchange, api: ApiContext): Promise<void> {
  const wire = await readJson(exchange, api.body, detokenizeRequest);
  const model = api.gateway.models.resolve(wire.model ?? null);
  refuseModel(exchange.caller, wire.model ?? null, model.id);
  const { engine, text } = model;
  const unknown = wire.tokens.findIndex((token) => token >= engine.model.vocabSize);
  if (unknown >= 0) {
    throw new SluiceError(
      'invalid_value',
      `There is no token ${wire.tokens[unknown]} in this model's vocabulary.`,
      {
        param: `tokens.${unknown}`,
      },
    );
  }
  const content = await text.detokenize(Int32Array.from(wire.tokens), { special: wire.special ?? false });
  exchange.json(200, { content });
}
