import { type Server, startServer } from '../../src/api/server.js';
import { resolveConfig } from '../../src/config/index.js';
import { createEngine } from '../../src/engine/host.js';
import { ModelRegistry, type ServedModel } from '../../src/gateway/models.js';
import { createLog } from '../../src/telemetry/log.js';
import { Metrics } from '../../src/telemetry/metrics.js';
import { createTextService } from '../../src/text/text-pool.js';
import { fixture } from './gguf/fixtures.js';

export interface WholeServer {
  url: string;
  server: Server;
  model: ServedModel;
  post(path: string, body: object): Promise<Response>;
  close(): Promise<void>;
}

/** Nothing scripted: the API over the real engine, text pool and addon, with a tiny model of random weights, `tiny`. */
export async function startWholeServer(settings: Record<string, unknown> = {}): Promise<WholeServer> {
  const small = { 'server.port': 0, 'engine.kvBytes': '16MiB', 'engine.pageSize': 8, 'engine.threads': 1 };
  const config = resolveConfig(
    Object.entries({ ...small, ...settings }).map(([path, value]) => ({ path, value, origin: 'test' })),
  );
  const modelPath = fixture('llama-chat');
  const [engine, text] = await Promise.all([
    createEngine({ modelPath, ...config.engine }, undefined, { modelId: 'tiny' }),
    createTextService({ modelPath, backend: 'cpu', threads: 1, maxQueue: 1000 }),
  ]);
  const models = new ModelRegistry();
  models.add({ id: 'tiny', revision: 'tiny', engine, text });
  const metrics = new Metrics({ processMetrics: false });
  const server = await startServer({ config, models, metrics, log: createLog('silent') });
  const url = `http://127.0.0.1:${server.port}`;
  return {
    url,
    server,
    model: { id: 'tiny', revision: 'tiny', engine, text },
    post: (path, body) => {
      const headers = { 'content-type': 'application/json' };
      return fetch(`${url}${path}`, { method: 'POST', headers, body: JSON.stringify(body) });
    },
    close: async () => {
      server.close();
      await Promise.all([engine.close(), text.close()]);
    },
  };
}
