import { once } from 'node:events';
import type { Server } from '../api/server.js';
import { SluiceError } from '../errors.js';
import type { Log } from '../telemetry/log.js';

const echoMs = 300;

interface Received {
  signal: NodeJS.Signals;
  atMs: number;
}

/** npm passes a terminal's Ctrl-C on to a process that has had it already: so soon, the same signal is that one. */
export function isEcho(first: Received, next: Received): boolean {
  return next.signal === first.signal && next.atMs - first.atMs < echoMs;
}

/** Aborts at the first SIGINT or SIGTERM. The next one ends the process at once. */
export function stopAtSignal(): AbortSignal {
  const stop = new AbortController();
  let first: Received | null = null;
  const handle = (signal: NodeJS.Signals) => {
    const received = { signal, atMs: performance.now() };
    if (first !== null) {
      if (!isEcho(first, received)) endBy(signal);
      return;
    }
    first = received;
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
