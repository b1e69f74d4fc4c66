import { once } from 'node:events';
import type { Server } from '../api/server.js';
import { SluiceError } from '../errors.js';
import type { Log } from '../telemetry/log.js';

/** Aborts at the first SIGINT or SIGTERM. The next one ends the process at once. */
export function stopAtSignal(): AbortSignal {
  const stop = new AbortController();
  const handle = (signal: NodeJS.Signals) => {
    if (stop.signal.aborted) endBy(signal);
    stop.abort(new SluiceError('cancelled', `Stopped by ${signal}.`));
  };
  process.on('SIGINT', handle);
  process.on('SIGTERM', handle);
  return stop.signal;
}

/** As if there were no handler. `process.exit` would first wait for threads that are inside native code. */
function endBy(signal: NodeJS.Signals): void {
  process.removeAllListeners(signal);
  process.kill(process.pid, signal);
}

/** Serves until a signal, then lets what runs finish within its time, and closes. */
export async function drainAtSignal(server: Server, stop: AbortSignal, log: Log): Promise<void> {
  if (!stop.aborted) await once(stop, 'abort');
  process.stderr.write('Stopping: running requests may finish. Once more to stop at once.\n');
  if (!(await server.drain())) log.warn('requests were cut off at shutdown');
  server.close();
}
