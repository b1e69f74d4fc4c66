/** A process of the guards' pool, for modules that aren't ours. It runs one check at a time. */
import { Worker } from 'node:worker_threads';
import { type BuiltDetectors, buildDetectors } from './build-detectors.js';
import { loadModule } from './load-module.js';
import type { FromProcess, ToProcess } from './protocol.js';
import { runCheck } from './run-check.js';

const send = process.send!.bind(process) as (message: FromProcess) => void;

let detectors: BuiltDetectors;

process.on('message', async (message: ToProcess) => {
  if (message.kind === 'build') {
    detectors = await buildDetectors(message.specs, ({ modulePath }) => loadModule(modulePath!));
    send({ kind: 'ready' });
    return;
  }
  try {
    const onBegin = (detector: number) => send({ kind: 'running', detector });
    send({ kind: 'done', result: await runCheck(message.task, detectors, onBegin) });
  } catch (error) {
    send({ kind: 'failed', message: error instanceof Error ? error.message : String(error) });
  }
});

// A server that is told to stop still checks the answers that it finishes; it ends its processes itself.
process.on('SIGINT', () => undefined).on('SIGTERM', () => undefined);
process.on('disconnect', () => process.exit());
new Worker(new URL('./orphan-watch.js', import.meta.url), { workerData: process.ppid });
