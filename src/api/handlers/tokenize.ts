import { SluiceError } from '../../errors.js';
import { withTools } from '../../gateway/tools.js';
import type { ApiContext } from '../context.js';
import type { Exchange } from '../exchange.js';
import { readJson } from '../json.js';
import { detokenizeRequest, tokenizeRequest } from '../schemas/others.js';
import { tokenText } from '../token-text.js';

export async function tokenize(exchange: Exchange, api: ApiContext): Promise<void> {
  const wire = await readJson(exchange, api.body, tokenizeRequest);
  const { fleet } = api.gateway.router;
  const answer = await withTools(fleet, exchange.caller, wire.model ?? null, async ({ target, tools }) => {
    const tokens = await tools.tokenize(wire.content ?? wire.prompt ?? '', {
      addSpecial: wire.add_special ?? true,
      parseSpecial: wire.parse_special ?? true,
    });
    const { vocab, contextTokens } = target;
    const shown =
      wire.with_pieces && vocab
        ? Array.from(tokens, (id) => ({ id, piece: tokenText(vocab, id) }))
        : Array.from(tokens);
    return { tokens: shown, count: tokens.length, max_model_len: contextTokens };
  });
  exchange.json(200, answer);
}

export async function detokenize(exchange: Exchange, api: ApiContext): Promise<void> {
  const wire = await readJson(exchange, api.body, detokenizeRequest);
  const { fleet } = api.gateway.router;
  const content = await withTools(fleet, exchange.caller, wire.model ?? null, async ({ target, tools }) => {
    const vocabSize = target.vocab ? target.vocab.offsets.length - 1 : 0;
    const unknown = wire.tokens.findIndex((token) => token >= vocabSize);
    if (unknown >= 0) {
      const message = `There is no token ${wire.tokens[unknown]} in this model's vocabulary.`;
      throw new SluiceError('invalid_value', message, { param: `tokens.${unknown}` });
    }
    return await tools.detokenize(Int32Array.from(wire.tokens), { special: wire.special ?? false });
  });
  exchange.json(200, { content });
}
