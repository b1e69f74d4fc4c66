import type { Caller } from '../auth/caller.js';
import { refuseModel } from '../auth/index.js';
import type { Admission } from '../cost/admission.js';
import { Tab } from '../cost/tab.js';
import { cut, type Embedder, type EmbeddingModel } from '../embedding/index.js';
import { SluiceError } from '../errors.js';
import { Ending } from './metering.js';
import type { Gateway } from './pipeline.js';

export interface EmbeddingRequest {
  id: string;
  caller: Caller;
  model: string | null;
  texts: string[] | Int32Array[];
  /** Numbers that a vector should have; null: whatever the model makes. */
  size: number | null;
  /** Texts that are too long are cut instead of refused. */
  truncate: boolean;
}

export interface EmbeddingAnswer {
  model: string;
  vectors: Float32Array[];
  promptTokens: number;
  nanodollars: number | null; // null: nothing is accounted
  quota: Record<string, string>; // headers
}

/** The way of a request for embeddings: limits, its tokens counted and reserved, the encoder, settlement. */
export async function embed(
  gateway: Gateway,
  request: EmbeddingRequest,
  signal: AbortSignal,
): Promise<EmbeddingAnswer> {
  const watch = gateway.metrics.start();
  const ending = new Ending();
  let admitted: { admission: Admission; tab: Tab } | null = null;
  try {
    const embedder = embedderFor(gateway, request.model);
    const model = embedder.modelId;
    refuseModel(request.caller, request.model, model);
    watch.resolved(model);
    const admission = await gateway.accounting.admit({ ...request, tokens: leastTokens(request) });
    const tab = new Tab(admission);
    admitted = { admission, tab };
    refuseOtherSize(await embedder.load(), request.size);
    const texts = await tokensOf(embedder, request, signal);
    const promptTokens = count(texts);
    const { prices } = gateway.router.fleet.environment;
    const charge = tab.open(model, prices.of({ id: model, isLocal: true }));
    const reserving = charge.reserve({
      promptTokens,
      dearestPromptTokens: promptTokens,
      completionTokens: 0,
    });
    if (reserving) await reserving;
    const vectors = await embedder.embedTokens(texts, signal);
    const usage = { promptTokens, completionTokens: 0, cachedTokens: 0, nanodollars: null };
    charge.settle(usage);
    const quota = tab.quota();
    const nanodollars = await admission.settle(ending.finished(tab, usage));
    watch.finished(usage);
    return { model, vectors, promptTokens, nanodollars, quota };
  } catch (error) {
    await admitted?.admission.settle(ending.failed(admitted.tab, error));
    watch.failed(error);
    throw error;
  }
}

/** Throws model_not_found or invalid_value. */
function embedderFor({ embedder, router }: Gateway, name: string | null): Embedder {
  const fault = (code: 'model_not_found' | 'invalid_value', message: string) =>
    new SluiceError(code, message, { param: 'model' });
  if (!embedder)
    throw fault('model_not_found', 'No embedding model is served here: start with --embeddings.');
  if (name === null || embedder.names.has(name)) return embedder;
  const asked = JSON.stringify(name);
  if (router.fleet.find(name) !== null)
    throw fault('invalid_value', `${asked} generates text; embeddings are made by ${embedder.modelId}.`);
  throw fault('model_not_found', `No embedding model ${asked}; there is ${embedder.modelId}.`);
}

function refuseOtherSize({ id, size }: EmbeddingModel, asked: number | null): void {
  if (asked === null || asked === size) return;
  const message = `${id} makes vectors of ${size} numbers, and wasn't trained for others.`;
  throw new SluiceError('unsupported_parameter', message, { param: 'dimensions' });
}

function leastTokens({ texts }: EmbeddingRequest): number {
  return texts.every((text) => typeof text !== 'string') ? count(texts) : texts.length;
}

async function tokensOf(
  embedder: Embedder,
  { texts, truncate }: EmbeddingRequest,
  signal: AbortSignal,
): Promise<Int32Array[]> {
  const tokens = isTexts(texts) ? await embedder.tokenize(texts, signal) : texts;
  if (!truncate) return tokens;
  const { maxTextTokens } = await embedder.load();
  return tokens.map((each) => cut(each, maxTextTokens));
}

function isTexts(texts: string[] | Int32Array[]): texts is string[] {
  return typeof texts[0] === 'string';
}

function count(texts: readonly Int32Array[]): number {
  return texts.reduce((sum, { length }) => sum + length, 0);
}
