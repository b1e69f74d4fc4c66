import type { BackgroundBoard } from '../../src/api/background-board.js';
import { type Server, startServer } from '../../src/api/server.js';
import { openCacheLevels } from '../../src/cache/open.js';
import type { GatewayRole } from '../../src/cluster/gateway/role.js';
import { resolveConfig } from '../../src/config/index.js';
import type { Embedder } from '../../src/embedding/index.js';
import type { LocalLoader } from '../../src/gateway/create.js';
import { ModelRegistry } from '../../src/gateway/models.js';
import { openTenancy, type Tenancy } from '../../src/gateway/tenancy.js';
import type { OpenSource } from '../../src/gateway/tenancy-source.js';
import type { StateModel } from '../../src/guards/detect/probe/reader.js';
import { createLog } from '../../src/telemetry/log.js';
import { Metrics } from '../../src/telemetry/metrics.js';
import type { Tracing } from '../../src/telemetry/trace.js';
import { StubEngine, type StubEngineOptions } from './stub-engine.js';
import { StubText } from './stub-text.js';

export interface TestServer extends Disposable {
  url: string;
  port: number;
  server: Server;
  engine: StubEngine;
  text: StubText;
  /** Where keys, limits and usage are kept; null without `keys`. */
  tenancy: Tenancy | null;
  post(path: string, body: unknown, init?: RequestInit): Promise<Response>;
  close(): Promise<void>;
}

/**
 * A real server on a free port of loopback, with a scripted engine. `settings` are configuration by path; with `dataFolder`
 * it has a store there.
 */
export async function startTestServer(
  options: StubEngineOptions & {
    settings?: Record<string, unknown>;
    aliases?: string[];
    /** Only the models of `routing.models`. */
    withoutEngine?: boolean;
    loader?: LocalLoader;
    remote?: GatewayRole;
    board?: BackgroundBoard;
    source?: OpenSource;
    dataFolder?: string;
    embedder?: Embedder;
    stateModel?: StateModel;
    logLevel?: string;
    tracing?: Tracing;
  } = {},
): Promise<TestServer> {
  const {
    settings = {},
    aliases = [],
    withoutEngine = false,
    loader,
    remote,
    board,
    source,
    dataFolder,
    embedder,
    stateModel,
    logLevel = 'silent',
    tracing,
    ...engineOptions
  } = options;
  const config = resolveConfig(
    Object.entries({ 'server.port': 0, 'data.dir': dataFolder ?? '', ...settings }).map(([path, value]) => ({
      path,
      value,
      origin: 'test',
    })),
  );
  const engine = new StubEngine(engineOptions);
  const text = new StubText();
  const models = new ModelRegistry();
  if (!withoutEngine) models.add({ id: engine.modelId, revision: 'stub', engine, text }, aliases);
  const metrics = new Metrics({ processMetrics: false });
  const log = createLog(logLevel);
  const tenancy =
    dataFolder === undefined ? null : await openTenancy(config, metrics.generations, log, source);
  const onFault = (error: unknown) => log.warn({ err: error }, 'cache');
  const cacheLevels =
    dataFolder === undefined && !remote
      ? []
      : await openCacheLevels(config, embedder ?? null, onFault, remote?.redis ?? null);
  const server = await startServer({
    config,
    cacheLevels,
    models,
    metrics,
    log,
    ...(loader ? { loader } : {}),
    ...(embedder ? { embedder } : {}),
    ...(stateModel ? { stateModel } : {}),
    ...(remote ? { remote } : {}),
    ...(board ? { board } : {}),
    ...(tenancy ? { tenancy } : {}),
    ...(tracing ? { tracing } : {}),
  });
  const url = `http://127.0.0.1:${server.port}`;
  return {
    url,
    port: server.port,
    server,
    engine,
    text,
    tenancy,
    post: (path, body, init = {}) =>
      fetch(`${url}${path}`, {
        method: 'POST',
        body: typeof body === 'string' ? body : JSON.stringify(body),
        ...init,
        headers: { 'content-type': 'application/json', ...init.headers },
      }),
    close: async () => {
      server.close();
      await Promise.all(cacheLevels.map((level) => level.close()));
      await tenancy?.close();
    },
    [Symbol.dispose]: () => server.close(),
  };
}

/** The events of a stream as they came, comments left out; "[DONE]" as text. */
export async function sseEvents(response: Response): Promise<unknown[]> {
  return (await response.text())
    .split('\n\n')
    .filter((block) => block.startsWith('data: '))
    .map((block) => (block === 'data: [DONE]' ? '[DONE]' : JSON.parse(block.slice('data: '.length))));
}
