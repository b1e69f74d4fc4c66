/**
 * A process with engines that only sleep: workers of a cluster, or (without Redis) a server of its own. Options: JSON in the first
 * argument.
 */
import { startServer } from '../../src/api/server.js';
import { WorkerRole } from '../../src/cluster/worker/role.js';
import { startStatusServer } from '../../src/cluster/worker/status-server.js';
import { resolveConfig } from '../../src/config/index.js';
import { ModelRegistry } from '../../src/gateway/models.js';
import { createLog } from '../../src/telemetry/log.js';
import { Metrics } from '../../src/telemetry/metrics.js';
import { MODEL, noText, SteppingEngine } from './stepping-engine.js';

export interface StubProcessOptions {
  port: number;
  redisUrl: string | null;
  workers: number; // in this process, each with connections of its own
  stepMs: number;
  sequences: number; // of each
}

const { port, redisUrl, workers, stepMs, sequences } = JSON.parse(process.argv[2]!) as StubProcessOptions;
const settings = {
  'server.port': port,
  'engine.maxSequences': sequences,
  'cache.enabled': false,
  ...(redisUrl === null ? {} : { 'redis.url': redisUrl }),
};
const config = resolveConfig(
  Object.entries(settings).map(([path, value]) => ({ path, value, origin: 'bench' })),
);
const log = createLog('warn');
const metrics = new Metrics({ processMetrics: false });
const served = () => ({ id: MODEL, revision: '1', engine: new SteppingEngine(stepMs), text: noText });

if (redisUrl === null) {
  const models = new ModelRegistry();
  models.add(served());
  await startServer({ config, models, metrics, log, cacheLevels: [] });
} else {
  const roles = await Promise.all(
    Array.from({ length: workers }, () => WorkerRole.open({ config, served: served(), log })),
  );
  await startStatusServer(config.server, roles[0]!, metrics);
}
