import { randomUUID } from 'node:crypto';
import type { Access } from '../auth/index.js';
import type { Config } from '../config/index.js';
import { shuttingDown } from '../errors.js';
import type { LiveEvaluation } from '../eval/live/live-evaluation.js';
import type { Gateway } from '../gateway/pipeline.js';
import type { Office } from '../gateway/tenancy.js';
import type { Log } from '../telemetry/log.js';
import type { Metrics } from '../telemetry/metrics.js';
import type { Tracing } from '../telemetry/trace.js';
import type { BackgroundRequests } from './background-requests.js';
import type { BodyLimits } from './body.js';
import type { Exchange } from './exchange.js';

/** What every handler may use. */
export interface ApiContext {
  config: Config;
  gateway: Gateway;
  access: Access;
  /** What the admin routes work on; null where there is no store. */
  office: Office | null;
  live: LiveEvaluation;
  /** False while what gateways share can't be reached; always true for a server by itself. */
  isConnected: () => boolean;
  metrics: Metrics;
  tracing: Tracing;
  log: Log;
  body: BodyLimits;
  background: BackgroundRequests;
  /** True from the moment the server is told to stop. */
  draining: boolean;
  /** Generations and embeddings under way, for the drain to wait for. */
  inFlight: Set<Promise<unknown>>;
  /** What isn't answered yet. */
  exchanges: Set<Exchange>;
}

export function newId(prefix: string): string {
  return `${prefix}-${randomUUID().replaceAll('-', '')}`;
}

/** Remembers the work until it ends, so that a drain can wait for it. */
export function untilEnded<T>({ inFlight }: ApiContext, running: Promise<T>): Promise<T> {
  inFlight.add(running);
  const forget = () => inFlight.delete(running);
  running.then(forget, forget);
  return running;
}

export function refuseDraining(api: ApiContext): void {
  if (api.draining) throw shuttingDown();
}
