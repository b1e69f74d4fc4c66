import { once } from 'node:events';
import { WorkerRole } from '../cluster/worker/role.js';
import { startStatusServer } from '../cluster/worker/status-server.js';
import type { Config } from '../config/index.js';
import { createLog } from '../telemetry/log.js';
import { Metrics } from '../telemetry/metrics.js';
import { closeAll, loadMainModel } from './load-model.js';

/** Works until `stop` aborts; then what runs may finish within its time, and the rest goes on at other workers. */
export async function runWorker(config: Config, stop: AbortSignal): Promise<void> {
  const log = createLog(config.log.level);
  const metrics = new Metrics({ processMetrics: true });
  const served = await loadMainModel(config, log, stop);
  metrics.engines.add(served.engine);
  try {
    const role = await WorkerRole.open(config, served, log);
    const status = await startStatusServer(config.server, role, metrics);
    process.stdout.write(`Sluice works on ${served.id}; its state is at port ${status.port}\n`);
    if (!stop.aborted) await once(stop, 'abort');
    process.stderr.write('Stopping: running requests may finish. Once more to stop at once.\n');
    const left = await role.worker.drain(config.server.drainTimeoutMs);
    if (left > 0) log.info({ requests: left }, 'handed over to other workers');
    await role.close();
    status.close();
  } finally {
    await closeAll([served.engine, served.text]);
  }
}
