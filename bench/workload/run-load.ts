import type { GenerationPlan, LoadClient, RequestTrace } from '../client/types.js';

/** Closed: each of N clients sends its next request when its last has ended. Open: requests come when they come. */
export type LoadShape =
  | { kind: 'closed'; clients: number }
  | { kind: 'open'; arrivalsMs: Iterator<number>; maxInFlight: number };

export interface LoadOptions {
  shape: LoadShape;
  requests: number; // at most
  durationMs: number; // no request starts later; those running end
}

export interface LoadResult {
  traces: RequestTrace[];
  wallMs: number; // first start to last end
  skippedArrivals: number; // open loop only: came while maxInFlight were running
}

export async function runLoad(
  client: LoadClient,
  plan: (index: number) => GenerationPlan,
  options: LoadOptions,
): Promise<LoadResult> {
  const { shape } = options;
  const startedAtMs = performance.now();
  const { traces, skippedArrivals } =
    shape.kind === 'closed'
      ? { traces: await closedLoop(client, plan, options, shape.clients), skippedArrivals: 0 }
      : await openLoop(client, plan, options, shape);
  const lastEndMs = traces.reduce((last, trace) => Math.max(last, trace.endedAtMs), startedAtMs);
  return { traces, wallMs: lastEndMs - startedAtMs, skippedArrivals };
}

async function closedLoop(
  client: LoadClient,
  plan: (index: number) => GenerationPlan,
  options: LoadOptions,
  clients: number,
): Promise<RequestTrace[]> {
  const traces: RequestTrace[] = [];
  const deadlineMs = performance.now() + options.durationMs;
  let next = 0;
  const one = async () => {
    while (next < options.requests && performance.now() < deadlineMs)
      traces.push(await client.generate(plan(next++)));
  };
  await Promise.all(Array.from({ length: clients }, one));
  return traces;
}

async function openLoop(
  client: LoadClient,
  plan: (index: number) => GenerationPlan,
  options: LoadOptions,
  shape: Extract<LoadShape, { kind: 'open' }>,
): Promise<{ traces: RequestTrace[]; skippedArrivals: number }> {
  const traces: RequestTrace[] = [];
  const running = new Set<Promise<void>>();
  const startMs = performance.now();
  let skippedArrivals = 0;
  for (let index = 0; index < options.requests; index++) {
    const arrivalMs: number = shape.arrivalsMs.next().value;
    if (arrivalMs > options.durationMs) break;
    await until(startMs + arrivalMs);
    if (running.size >= shape.maxInFlight) {
      skippedArrivals++;
      continue;
    }
    const request = client.generate(plan(index)).then((trace) => {
      traces.push(trace);
      running.delete(request);
    });
    running.add(request);
  }
  await Promise.all(running);
  return { traces, skippedArrivals };
}

/** Resolves at `atMs` on performance.now()'s clock, at once if that has passed. Timers are good to about 1 ms. */
function until(atMs: number): Promise<void> {
  const waitMs = atMs - performance.now();
  return waitMs <= 0 ? Promise.resolve() : new Promise((resolve) => setTimeout(resolve, waitMs));
}
