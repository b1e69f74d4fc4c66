import pino from 'pino';

export type Log = pino.Logger;

/** JSON lines on stderr; stdout is for people. Requests' texts are never logged. */
export function createLog(level: string): Log {
  return pino(
    { level, base: null, timestamp: pino.stdTimeFunctions.isoTime },
    pino.destination({ fd: 2, sync: false }),
  );
}
