import { sharedSource } from '../../src/cluster/accounts/shared-source.js';
import { GatewayRole } from '../../src/cluster/gateway/role.js';
import { WorkerRole } from '../../src/cluster/worker/role.js';
import { type Config, resolveConfig } from '../../src/config/index.js';
import type { Embedder } from '../../src/embedding/index.js';
import { createLog } from '../../src/telemetry/log.js';
import { noTracing, type Tracing } from '../../src/telemetry/trace.js';
import { startTestServer, type TestServer } from './server.js';
import { StubEngine, type StubEngineOptions } from './stub-engine.js';
import { StubText } from './stub-text.js';

export interface RedisAddress {
  url: string;
}

export interface TestWorker {
  role: WorkerRole;
  engine: StubEngine;
  close(): Promise<void>;
}

export interface TestGateway extends TestServer {
  role: GatewayRole;
}

/** For tests that wait for no death: a busy machine doesn't look like one. */
export const CALM = { 'cluster.leaseMs': 1500, 'redis.silenceMs': 5000 };

/** Short leases, so that tests of deaths are quick. */
export const QUICK = { 'cluster.leaseMs': 400, 'redis.silenceMs': 800 };

export function clusterConfig(redis: RedisAddress, settings: Record<string, unknown> = {}): Config {
  const all = { 'redis.url': redis.url, ...QUICK, ...settings };
  return resolveConfig(Object.entries(all).map(([path, value]) => ({ path, value, origin: 'test' })));
}

/** A worker in this process, over a scripted engine. */
export async function startTestWorker(
  redis: RedisAddress,
  options: StubEngineOptions & {
    settings?: Record<string, unknown>;
    embedder?: Embedder;
    tracing?: Tracing;
    withoutModel?: boolean;
  } = {},
): Promise<TestWorker> {
  const { settings, embedder = null, tracing = noTracing, withoutModel = false, ...engineOptions } = options;
  const engine = new StubEngine(engineOptions);
  const served = withoutModel ? null : { id: engine.modelId, revision: 'r1', engine, text: new StubText() };
  const config = clusterConfig(redis, settings);
  const role = await WorkerRole.open({ config, served, embedder, tracing, log: createLog('silent') });
  return { role, engine, close: () => role.close() };
}

/**
 * A gateway in this process; `more` as for a server, such as a model of its own. With a data folder it shares keys, limits and
 * usage with the others.
 */
export async function startTestGateway(
  redis: RedisAddress,
  settings: Record<string, unknown> = {},
  more: Omit<NonNullable<Parameters<typeof startTestServer>[0]>, 'settings' | 'remote'> = {
    withoutEngine: true,
  },
): Promise<TestGateway> {
  const config = clusterConfig(redis, settings);
  const role = await GatewayRole.open(config, createLog('silent'));
  const server = await startTestServer({
    ...more,
    remote: role,
    board: role.board,
    ...(more?.dataFolder === undefined ? {} : { source: sharedSource(role.redis, role.id) }),
    settings: { 'redis.url': redis.url, ...QUICK, ...settings },
  });
  return {
    ...server,
    role,
    close: async () => {
      await role.stop();
      await server.close();
      role.close();
    },
  };
}
