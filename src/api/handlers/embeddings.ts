import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Caller } from '../../auth/index.js';
import { SluiceError } from '../../errors.js';
import { type EmbeddingRequest, embed } from '../../gateway/embed.js';
import { dollars } from '../../support/money.js';
import { type ApiContext, newId, refuseDraining, untilEnded } from '../context.js';
import type { Exchange } from '../exchange.js';
import { readJson } from '../json.js';
import { type EmbeddingWireRequest, embeddingRequest } from '../schemas/embeddings.js';

/** Vectors written at once: some 2 ms, after which the event loop gets its turn. */
const chunkVectors = 32;

export async function embeddings(exchange: Exchange, api: ApiContext): Promise<void> {
  refuseDraining(api);
  const wire = await readJson(exchange, api.body, embeddingRequest);
  const request = embeddingRequestOf(wire, exchange.caller, api.config.embeddings.maxInputs);
  exchange.notes.generation = request.id; // the ledger has it
  const answer = await exchange.whileConnected((signal) =>
    untilEnded(api, embed(api.gateway, request, signal)),
  );
  const { model, promptTokens, nanodollars, quota } = answer;
  const cost = nanodollars === null ? {} : { cost: dollars(nanodollars) };
  Object.assign(exchange.notes, { model, promptTokens });
  const data = await writeVectors(answer.vectors, wire.encoding_format ?? 'float');
  const rest = { model, usage: { prompt_tokens: promptTokens, total_tokens: promptTokens, ...cost } };
  exchange.jsonText(200, `{"object":"list","data":[${data}],${JSON.stringify(rest).slice(1)}`, quota);
}

export function embeddingRequestOf(
  wire: EmbeddingWireRequest,
  caller: Caller,
  maxInputs: number,
): EmbeddingRequest {
  const texts = textsOf(wire.input);
  if (texts.length > maxInputs)
    throw new SluiceError('invalid_value', `At most ${maxInputs} texts fit one request.`, { param: 'input' });
  return {
    id: newId('embd'),
    caller,
    model: wire.model ?? null,
    texts,
    size: wire.dimensions ?? null,
    truncate: wire.truncate ?? false,
  };
}

function textsOf(input: EmbeddingWireRequest['input']): string[] | Int32Array[] {
  if (typeof input === 'string') return [input];
  if (typeof input[0] === 'string') return input as string[];
  if (typeof input[0] === 'number') return [Int32Array.from(input as number[])];
  return (input as number[][]).map((tokens) => Int32Array.from(tokens));
}

/** As JSON: a large answer has some 15 MB. */
async function writeVectors(vectors: readonly Float32Array[], format: 'float' | 'base64'): Promise<string> {
  const written: string[] = [];
  for (const [index, vector] of vectors.entries()) {
    if (index > 0 && index % chunkVectors === 0) await nextTurn();
    const embedding = format === 'float' ? Array.from(vector) : base64(vector);
    written.push(JSON.stringify({ object: 'embedding', index, embedding }));
  }
  return written.join(',');
}

/** Little-endian, as are all machines that this runs on. */
function base64({ buffer, byteOffset, byteLength }: Float32Array): string {
  return Buffer.from(buffer, byteOffset, byteLength).toString('base64');
}
