import { seededRandom } from '../../src/support/random.js';
import { Events } from './events.js';

export interface FailoverOptions {
  /** One-way times between clients' places (rows) and regions (columns), ms. */
  ways: readonly (readonly number[])[];
  checkMs: number; // between two health checks of a region
  failuresToLeave: number; // checks in a row that fail before it is left
  successesToReturn: number;
  nameMs: number; // that a resolver keeps an answer; 0: addresses are steered themselves
  connectMs: number; // that a client waits for a connection before it tries again
  clients: number; // of each place
  requestsPerMinute: number; // of each client
  /** Share of clients whose data may only be in the region of their place. */
  boundShare: number;
  outage: { region: number; fromMs: number; untilMs: number };
  runMs: number;
  seed: number;
}

/** Three regions on as many continents; balancers and names as they are usually set. */
export const threeRegions = {
  ways: [
    [5, 40, 75],
    [40, 5, 110],
    [75, 110, 5],
  ],
  checkMs: 5000,
  failuresToLeave: 3,
  successesToReturn: 2,
  nameMs: 30_000,
  connectMs: 2000,
  requestsPerMinute: 6,
} satisfies Partial<FailoverOptions>;

export interface Failover {
  requests: number;
  /** From the outage, or its first try after it, to its first answer: of each client that used the region and may leave it. */
  downMs: number[];
  failed: number; // tries during the outage
  refused: number; // of clients whose data may not leave the region
  misplaced: number; // answered where their data may not be
  detectedMs: number | null; // after the outage began
  extraWayMs: number[]; // of requests that were served further away meanwhile
}

interface Client {
  place: number;
  isBound: boolean;
  region: number; // as its resolver says
  resolvedMs: number;
  downSinceMs: number | null;
}

/** Clients are steered to the nearest region that passes its checks; one region goes away and comes back. */
export function simulateFailover(options: FailoverOptions): Failover {
  const { ways, runMs } = options;
  const random = seededRandom(options.seed);
  const events = new Events();
  const fromMs = options.outage.fromMs + random() * options.checkMs; // anywhere between two checks
  const outage = { ...options.outage, fromMs };
  const health = watchRegions({ ...options, outage }, events);
  const result: Failover = {
    requests: 0,
    downMs: [],
    failed: 0,
    refused: 0,
    misplaced: 0,
    detectedMs: null,
    extraWayMs: [],
  };
  const isDown = (region: number) =>
    region === outage.region && events.nowMs >= outage.fromMs && events.nowMs < outage.untilMs;
  const resolve = (client: Client) => {
    if (events.nowMs - client.resolvedMs < options.nameMs) return;
    client.region = client.isBound ? client.place : nearest(ways[client.place]!, health.healthy);
    client.resolvedMs = events.nowMs;
  };
  const attempt = (client: Client) => {
    resolve(client);
    const { region, place } = client;
    if (isDown(region)) {
      result.failed += 1;
      client.downSinceMs ??= events.nowMs;
      if (client.isBound) {
        result.refused += 1;
        client.downSinceMs = null;
        return;
      }
      events.after(options.connectMs, () => attempt(client));
      return;
    }
    if (client.isBound && region !== place) result.misplaced += 1;
    const way = ways[place]![region]!;
    const nearestWay = ways[place]![place]!;
    if (way > nearestWay) result.extraWayMs.push(way - nearestWay);
    if (client.downSinceMs === null) return;
    result.downMs.push(events.nowMs + 2 * way - client.downSinceMs);
    client.downSinceMs = null;
  };
  const live = (client: Client) => {
    events.after((-Math.log(1 - random()) * 60_000) / options.requestsPerMinute, () => {
      result.requests += 1;
      if (client.downSinceMs === null) attempt(client);
      live(client);
    });
  };
  for (const place of ways.keys())
    for (let index = 0; index < options.clients; index += 1)
      live({
        place,
        isBound: random() < options.boundShare,
        region: place,
        // Names were looked up at different times.
        resolvedMs: -random() * options.nameMs,
        downSinceMs: null,
      });
  events.runUntil(runMs);
  result.detectedMs = health.leftMs === null ? null : health.leftMs - outage.fromMs;
  return result;
}

function watchRegions(options: FailoverOptions, events: Events) {
  const { outage, ways } = options;
  const regions = ways[0]!.map((_, region) => ({ region, failures: 0, successes: 0 }));
  const state = { healthy: regions.map(() => true), leftMs: null as number | null };
  // Checks of different regions don't come at once.
  for (const watched of regions)
    events.after((watched.region * options.checkMs) / regions.length, () =>
      events.every(options.checkMs, () => {
        const isDown =
          watched.region === outage.region && events.nowMs >= outage.fromMs && events.nowMs < outage.untilMs;
        watched.failures = isDown ? watched.failures + 1 : 0;
        watched.successes = isDown ? 0 : watched.successes + 1;
        if (state.healthy[watched.region] && watched.failures >= options.failuresToLeave) {
          state.healthy[watched.region] = false;
          state.leftMs ??= events.nowMs;
        }
        if (!state.healthy[watched.region] && watched.successes >= options.successesToReturn)
          state.healthy[watched.region] = true;
      }),
    );
  return state;
}

function nearest(ways: readonly number[], healthy: readonly boolean[]): number {
  let best = 0;
  for (const region of ways.keys())
    if (healthy[region] && (!healthy[best] || ways[region]! < ways[best]!)) best = region;
  return best;
}
