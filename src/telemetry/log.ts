import pino from 'pino';

export type Log = pino.Logger;

/** JSON lines on stderr; stdout is for people. Requests' texts aren't logged unless `log.prompts` asks for it. */
export function createLog(level: string): Log {
  return pino(
    { level, base: null, timestamp: pino.stdTimeFunctions.isoTime },
    pino.destination({ fd: 2, sync: false }),
  );
}
