import { constants } from 'node:os';
import type { Server } from '../api/server.js';
import type { Log } from '../telemetry/log.js';

export interface StopSignals {
  /** From now on the first signal resolves this instead of ending the process. */
  firstWhileServing(): Promise<void>;
}

/** SIGINT and SIGTERM: one lets requests finish once there are any, the next ends the process with 128 + its number. */
export function stopSignals(): StopSignals {
  let onFirst: (() => void) | null = null;
  const handle = (signal: NodeJS.Signals) => {
    if (!onFirst) process.exit(128 + constants.signals[signal]);
    const resolve = onFirst;
    onFirst = null;
    resolve();
  };
  process.on('SIGINT', handle);
  process.on('SIGTERM', handle);
  return {
    firstWhileServing: () =>
      new Promise((resolve) => {
        onFirst = resolve;
      }),
  };
}

/** Serves until a signal, then lets what runs finish within its time, and closes. */
export async function drainAtSignal(server: Server, signals: StopSignals, log: Log): Promise<void> {
  await signals.firstWhileServing();
  process.stderr.write('Stopping: running requests may finish. Once more to stop at once.\n');
  if (!(await server.drain())) log.warn('requests were cut off at shutdown');
  server.close();
}
