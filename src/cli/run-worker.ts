import { once } from 'node:events';
import { WorkerRole } from '../cluster/worker/role.js';
import { startStatusServer } from '../cluster/worker/status-server.js';
import { type Config, ConfigError, NO_MODEL } from '../config/index.js';
import { createLog, type Log } from '../telemetry/log.js';
import { Metrics } from '../telemetry/metrics.js';
import { openTracing } from '../telemetry/open-tracing.js';
import { createEmbedder } from './load-embedder.js';
import { closeAll, loadMainModel } from './load-model.js';

/** Works until `stop` aborts; then what runs may finish within its time, and the rest goes on at other workers. */
export async function runWorker(config: Config, stop: AbortSignal): Promise<void> {
  const log = createLog(config.log.level);
  const metrics = new Metrics({ processMetrics: true });
  const hasModel = config.model.ref !== NO_MODEL;
  if (!hasModel && !config.embeddings.enabled)
    throw new ConfigError(['model.ref: a worker without a model needs --embeddings']);
  const tracing = await openTracing(config.telemetry, process.env, log);
  const embedder = config.embeddings.enabled ? await createEmbedder(config, log, stop) : null;
  const served = hasModel ? await loadMainModel(config, log, stop) : null;
  if (served) metrics.engines.add(served.engine);
  try {
    const role = await WorkerRole.open({ config, served, embedder, tracing, log });
    const status = await startStatusServer(config.server, role, metrics);
    const works = [served?.id, embedder?.modelId].filter(Boolean).join(' and ');
    process.stdout.write(`Sluice works on ${works}; its state is at port ${status.port}\n`);
    await drained(role, config.server.drainTimeoutMs, stop, log);
    await role.close();
    status.close();
  } finally {
    await closeAll([
      ...(served ? [served.engine, served.text] : []),
      ...(embedder ? [embedder] : []),
      tracing,
    ]);
  }
}

async function drained(role: WorkerRole, timeoutMs: number, stop: AbortSignal, log: Log): Promise<void> {
  if (!stop.aborted) await once(stop, 'abort');
  process.stderr.write('Stopping: running requests may finish. Once more to stop at once.\n');
  const left = await role.drain(timeoutMs);
  if (left > 0) log.info({ requests: left }, 'handed over to other workers');
}
