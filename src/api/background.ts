import { toSluiceError } from '../errors.js';
import type { BackgroundRequest } from './background-board.js';
import type { ApiContext } from './context.js';
import type { Exchange } from './exchange.js';
import { type Generation, wholeAnswer } from './generation.js';

/** By the body, or by `Prefer: respond-async` (RFC 7240, 4.1), which a stream passes over. */
export function isForLater(exchange: Exchange, { request, background }: Generation): boolean {
  if (background) return true;
  return !request.stream && /(?:^|,)\s*respond-async\s*(?:[,;]|$)/i.test(exchange.header('prefer') ?? '');
}

/** Answers 202 at once; the client asks for the result by its id. */
export async function answerLater(
  exchange: Exchange,
  api: ApiContext,
  generation: Generation,
): Promise<void> {
  const { id } = generation.request;
  const started = await api.background.start(ownerOf(exchange), id, (signal) =>
    work(exchange, api, generation, signal),
  );
  exchange.notes.generation = id;
  const preference = generation.background ? {} : { 'preference-applied': 'respond-async' };
  exchange.json(202, shown(api, started), { location: `/v1/requests/${id}`, ...preference });
}

async function work(
  { head, caller }: Exchange,
  api: ApiContext,
  generation: Generation,
  signal: AbortSignal,
): Promise<object> {
  const startedAt = performance.now();
  const trace = api.tracing.start('background', head.headers);
  const notes: Record<string, unknown> = { generation: generation.request.id };
  if (caller.keyId !== null) Object.assign(notes, { key: caller.keyId, tenant: caller.tenant });
  if (trace.id !== null) notes.trace = trace.id;
  try {
    return (await wholeAnswer(api, generation, { signal, trace, notes })).body;
  } catch (thrown) {
    const error = toSluiceError(thrown);
    notes.error = error.code;
    if (error.code === 'internal_error') notes.err = error.cause;
    throw error;
  } finally {
    trace.end(notes.error as string | undefined);
    const durationMs = Math.round((performance.now() - startedAt) * 10) / 10;
    api.log[notes.err === undefined ? 'info' : 'error']({ durationMs, ...notes }, 'background');
  }
}

/** Results belong to the key that asked. */
export function ownerOf({ caller }: Exchange): string {
  return caller.keyId ?? '';
}

/** As the schema backgroundRequest has it. */
export function shown({ gateway }: ApiContext, { id, createdMs, ended }: BackgroundRequest): object {
  const known = { id, object: 'request', created: seconds(createdMs) };
  if (ended === null) {
    const place = gateway.router.fleet.placeInLine(id);
    if (place === null) return { ...known, state: 'running' };
    return { ...known, state: 'queued', position: place.position, estimate_ms: place.estimateMs };
  }
  const { outcome } = ended;
  const completed = seconds(ended.atMs);
  if ('error' in outcome) return { ...known, state: 'failed', completed, ...outcome.error.toJSON() };
  return { ...known, state: 'done', completed, result: outcome.result };
}

function seconds(ms: number): number {
  return Math.floor(ms / 1000);
}
