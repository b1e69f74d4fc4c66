/** A process that is a worker of a cluster over the scripted engine. Options: JSON in the first argument. */
import { stopAtSignal } from '../../src/cli/stop-signals.js';
import { startTestWorker } from './cluster.js';

const { redis, ...options } = JSON.parse(process.argv[2]!);
const stop = stopAtSignal();
const worker = await startTestWorker(redis, options);
process.stdout.write('ready\n');
stop.addEventListener('abort', async () => {
  await worker.role.drain(options.drainMs ?? 10_000);
  await worker.close();
  process.exit(0);
});
