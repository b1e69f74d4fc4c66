import { randomInt } from 'node:crypto';
import type { Caller } from '../auth/index.js';
import { generate } from '../gateway/pipeline.js';
import type { GenerationEvent, GenerationSink, Usage, ValidatedRequest } from '../generation/types.js';
import { dollars } from '../support/money.js';
import { withFields } from '../support/with-fields.js';
import type { Trace } from '../telemetry/trace.js';
import { parseCacheControl } from './cache-control.js';
import { cacheHeaders, cacheStatus } from './cached.js';
import { ChatFormat } from './chat-format.js';
import { CompletionFormat } from './completion-format.js';
import { type ApiContext, newId, untilEnded } from './context.js';
import type { Exchange, Headers } from './exchange.js';
import type { AnswerFormat } from './format.js';
import type { ChatRequest } from './schemas/chat.js';
import type { CompletionRequest } from './schemas/completions.js';
import { trimmedText, wireTrimmed } from './trimmed.js';
import { type RequestScope, validateChat, validateCompletion } from './validate.js';

const WARNINGS_HEADER = 'x-sluice-guard-warnings';

/** A request and the form of its answer, as HTTP and WebSocket both need them. */
export interface Generation {
  request: ValidatedRequest;
  format: AnswerFormat;
  includeUsage: boolean;
  background: boolean; // its client comes back for the answer
}

/** What surrounds a request's body. */
export interface Sender {
  caller: Caller;
  cacheControl: string | undefined;
}

export function completionGeneration(
  api: Pick<ApiContext, 'config'>,
  sender: Sender,
  wire: CompletionRequest,
): Generation {
  const request = validateCompletion(wire, scopeOf(api, sender, 'cmpl'));
  const prompts = request.input.kind === 'text' ? request.input.prompts : [];
  const format = new CompletionFormat({
    ...formatOptions(request, wire),
    choices: request.choices,
    echo: wire.echo
      ? prompts.map((text) => (typeof text === 'string' && !request.prefixId ? text : null))
      : null,
  });
  return { request, format, ...wanted(wire) };
}

export function chatGeneration(
  api: Pick<ApiContext, 'config'>,
  sender: Sender,
  wire: ChatRequest,
): Generation {
  const request = validateChat(wire, scopeOf(api, sender, 'chatcmpl'));
  const format = new ChatFormat(formatOptions(request, wire));
  return { request, format, ...wanted(wire) };
}

/** generate(), remembered until it ends so that a drain can wait for it. */
export function tracked(
  api: ApiContext,
  request: ValidatedRequest,
  sink: GenerationSink,
  signal: AbortSignal,
  trace: Trace,
): Promise<Usage> {
  if (api.config.log.prompts) api.log.info({ generation: request.id, input: request.input }, 'prompt');
  return untilEnded(api, generate(api.gateway, request, sink, signal, trace));
}

/** Answers over HTTP, whole or as a stream. Failures are thrown to the caller, who knows how to send them. */
export async function respond(exchange: Exchange, api: ApiContext, generation: Generation): Promise<void> {
  const { request } = generation;
  exchange.notes.generation = request.id; // the ledger has it
  if (request.stream) await respondStreaming(exchange, api, generation);
  else await respondWhole(exchange, api, generation);
}

async function respondWhole(exchange: Exchange, api: ApiContext, generation: Generation): Promise<void> {
  const { trace, notes } = exchange;
  const { body, headers } = await exchange.whileConnected((signal) =>
    wholeAnswer(api, generation, { signal, trace, notes }),
  );
  exchange.json(200, body, headers);
}

/** The answer as one object, and the headers that go with it. What is learned of it is added to the notes. */
export async function wholeAnswer(
  api: ApiContext,
  { request, format }: Generation,
  { signal, trace, notes }: Pick<Exchange, 'trace' | 'notes'> & { signal: AbortSignal },
): Promise<{ body: object; headers: Headers }> {
  let headers: Headers = {};
  let trimmed = {};
  const sink = (event: GenerationEvent) => {
    if (event.type === 'start') {
      headers = headersOf(event);
      trimmed = wireTrimmed(event.trimmed);
    }
    if (event.type === 'done') headers = withWarnings(headers, event.guard?.warnings);
    note(notes, event);
    format.collect(event);
  };
  const usage = await tracked(api, request, sink, signal, trace);
  Object.assign(notes, logged(usage));
  return { body: { ...format.whole(usage), ...trimmed }, headers };
}

/**
 * The stream opens with the first event that has something to send, so that what fails before gets a true status; or, so that
 * the client hears something while its request waits, when a ping is due.
 */
async function respondStreaming(exchange: Exchange, api: ApiContext, generation: Generation): Promise<void> {
  const { request, format, includeUsage } = generation;
  let headers: Headers = {};
  let trimmed = {}; // goes with the first chunk
  const open = () =>
    exchange.stream(api.config.http, () => api.metrics.slowReaders.labels('sse').inc(), headers);
  let queued: string | null = null;
  const patience = setTimeout(() => {
    const stream = open();
    if (queued !== null) stream?.comment(queued);
  }, api.config.http.pingIntervalMs);
  const sink = (event: GenerationEvent) => {
    if (event.type === 'start') {
      headers = headersOf(event);
      trimmed = wireTrimmed(event.trimmed);
    }
    note(exchange.notes, event);
    if (event.type === 'queued') queued = `waiting since position ${event.position} of the queue`;
    for (const chunk of format.chunks(event)) {
      open()?.send(JSON.stringify({ ...chunk, ...trimmed }));
      trimmed = {};
    }
  };
  try {
    const usage = await exchange.whileConnected((signal) =>
      tracked(api, request, sink, signal, exchange.trace),
    );
    Object.assign(exchange.notes, logged(usage));
    if (includeUsage) open()?.send(JSON.stringify(format.usageChunk(usage)));
    open();
    exchange.endStream();
  } finally {
    clearTimeout(patience);
  }
}

function headersOf(start: Extract<GenerationEvent, { type: 'start' }>): Headers {
  const { model, route, warning, trimmed, quota, cache, guardWarnings } = start;
  const headers: Record<string, string> = withFields(quota, cacheHeaders(cache));
  if (trimmed.length > 0) headers['x-sluice-trimmed'] = trimmedText(trimmed);
  if (warning !== null) headers['x-sluice-warning'] = warning;
  if (route !== null) {
    headers['x-sluice-model'] = plain(model);
    headers['x-sluice-route'] = plain(route.name);
    if (route.variant) headers['x-sluice-variant'] = plain(route.variant);
  }
  return withWarnings(headers, guardWarnings);
}

/** Of the request, and where the answer came whole of that too. */
function withWarnings(headers: Headers, warnings: readonly string[] = []): Headers {
  if (warnings.length === 0) return headers;
  const known = headers[WARNINGS_HEADER];
  return { ...headers, [WARNINGS_HEADER]: plain([...(known ? [known] : []), ...warnings].join(', ')) };
}

/** Models are called like their files, and those like anything. */
function plain(name: string): string {
  return name.replace(/[^\x20-\x7e]/g, '?');
}

function note(notes: Exchange['notes'], event: GenerationEvent): void {
  if (event.type === 'start') {
    notes.model = event.model;
    if (event.route) Object.assign(notes, { as: event.route.name, variant: event.route.variant });
  }
  if (event.type === 'done') notes.finish = event.finishReason;
}

/** Usage as the access log has it. */
export function logged({ route, cache, nanodollars, ...tokens }: Usage): object {
  const fields: Record<string, unknown> = tokens;
  const cost = nanodollars ?? route?.nanodollars;
  if (cost !== undefined) fields.costDollars = dollars(cost);
  if (route) fields.quality = route.quality;
  if (cache) fields.cache = cacheStatus(cache);
  return fields;
}

function scopeOf(
  api: Pick<ApiContext, 'config'>,
  { caller, cacheControl }: Sender,
  prefix: string,
): RequestScope {
  return {
    id: newId(prefix),
    caller,
    cacheControl: parseCacheControl(cacheControl),
    nowMs: Date.now(),
    randomSeed: randomInt(2 ** 32),
    limits: api.config.requests,
  };
}

/** How the client wants its answer. */
function wanted(wire: Pick<ChatRequest, 'stream_options' | 'background'>) {
  return {
    includeUsage: wire.stream_options?.include_usage ?? false,
    background: wire.background ?? false,
  };
}

function formatOptions(request: ValidatedRequest, wire: Pick<ChatRequest, 'stream_options'>) {
  return {
    id: request.id,
    createdSeconds: Math.floor(Date.now() / 1000),
    includeUsage: wire.stream_options?.include_usage ?? false,
  };
}
