import { setMaxListeners } from 'node:events';
import { ModelQueue } from '../../src/queue/model-queue.js';
import { mayEnter } from '../../src/support/fair-share.js';
import { request, smallConfig, testCore } from './core.js';
import { Random } from './random.js';

/** Of a small model on two cores. */
const STEP_MS = 8;
const TOKEN_MS = 0.5;

const ANSWER_TOKENS = 32;
const GUESTS = 4; // the default
const MAX_WAITING = 256;

export interface Load {
  ratesPerSecond: Record<string, number>; // by tenant
  promptTokens: number;
  maxSequences: number;
  seconds: number;
  seed: number;
}

interface Arrival {
  tenant: string;
  atMs: number;
}

/** Times to the first token by tenant, of a model queue before an engine, in a time of their own. */
export async function simulate(load: Load): Promise<Map<string, number[]>> {
  const { ratesPerSecond, promptTokens, maxSequences, seconds, seed } = load;
  const rows = maxSequences + GUESTS;
  const random = new Random(seed);
  const pagesPerSequence = Math.ceil((promptTokens + ANSWER_TOKENS) / smallConfig.pageSize) + 1;
  const { core, clock, events } = testCore(
    {
      maxSequences: rows,
      guestSequences: GUESTS,
      maxOutputs: 2 * rows,
      pages: rows * pagesPerSequence,
      maxPagesPerSequence: pagesPerSequence,
      maxBatchTokens: 256,
      maxContext: promptTokens + ANSWER_TOKENS,
      maxQueue: MAX_WAITING,
      targetStepMs: 50,
    },
    (call, tokens, time) => {
      if (call === 'forward') time.nowMs += STEP_MS + TOKEN_MS * tokens;
    },
  );
  const queue = new ModelQueue(
    { maxRunning: 2 * maxSequences, maxWaiting: MAX_WAITING, waitTimeoutMs: 3_600_000, priorityStepMs: 0 },
    () => clock.nowMs,
  );
  queue.resize(2 * maxSequences, GUESTS);
  const startMs = clock.nowMs;
  const arrivals = Object.entries(ratesPerSecond)
    .flatMap(([tenant, rate]) => [...poisson(tenant, rate, startMs, seconds, random)])
    .sort((a, b) => a.atMs - b.atMs);
  const end = new AbortController();
  setMaxListeners(0, end.signal);
  const inFlight = new Map<string, number>();
  const requests = new Map<string, Arrival>();
  const ttftMs = new Map<string, number[]>();
  let total = 0;

  const arrive = (arrival: Arrival) => {
    const { tenant } = arrival;
    const own = inFlight.get(tenant) ?? 0;
    if (!mayEnter(own, total, MAX_WAITING + maxSequences)) return; // refused at the door
    inFlight.set(tenant, own + 1);
    total += 1;
    const prompt = Int32Array.from({ length: promptTokens }, () => random.int(1, 9));
    const wanted = request({ tenant, prompt, maxTokens: ANSWER_TOKENS });
    requests.set(wanted.id, arrival);
    const { id, priority } = wanted;
    const place = queue.enter({
      id,
      tenant,
      priority,
      deadlineMs: Number.MAX_SAFE_INTEGER,
      signal: end.signal,
      onWait: () => {},
    });
    place.then(
      () => core.submit(wanted),
      () => undefined, // the simulation has ended
    );
  };
  const receive = () => {
    for (const event of events.splice(0)) {
      const { tenant, atMs } = requests.get(event.id)!;
      if (event.type === 'error') throw new Error(event.message);
      if (event.type === 'delta' && event.tokens.length > 0 && !seen.has(event.id)) {
        seen.add(event.id);
        ttftMs.set(tenant, [...(ttftMs.get(tenant) ?? []), clock.nowMs - atMs]);
      }
      if (event.type !== 'done') continue;
      inFlight.set(tenant, inFlight.get(tenant)! - 1);
      total -= 1;
      queue.leave(tenant);
    }
  };
  const seen = new Set<string>();
  const endMs = startMs + seconds * 1000;
  while (clock.nowMs < endMs) {
    while (arrivals.length > 0 && arrivals[0]!.atMs <= clock.nowMs) arrive(arrivals.shift()!);
    await Promise.resolve(); // who got a place goes to the engine
    core.flush();
    if (core.hasWork) core.step();
    else clock.nowMs = Math.min(arrivals[0]?.atMs ?? endMs, endMs);
    receive();
  }
  end.abort();
  return ttftMs;
}

function* poisson(tenant: string, ratePerSecond: number, fromMs: number, seconds: number, random: Random) {
  let atMs = fromMs;
  while (true) {
    atMs -= (Math.log(1 - random.unit()) * 1000) / ratePerSecond;
    if (atMs > fromMs + seconds * 1000) return;
    yield { tenant, atMs } satisfies Arrival;
  }
}
