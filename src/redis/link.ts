import type { Config } from '../config/index.js';
import { clientFactory } from './client.js';
import { Connection } from './connection.js';
import { Keys } from './keys.js';

/** A process's connections to Redis: blocking reads and subscriptions have theirs, so that nothing waits behind them. */
export interface RedisLink {
  readonly keys: Keys;
  readonly commands: Connection;
  readonly reader: Connection; // blocking reads
  readonly subscriber: Connection;
  close(): void;
}

/** Redis may be starting too. */
const PATIENCE_MS = 15_000;

/** Rejects with store_unavailable where Redis can't be reached within the time. */
export async function connectRedis(settings: Config['redis'], patienceMs = PATIENCE_MS): Promise<RedisLink> {
  const open = clientFactory(settings);
  const [commands, reader, subscriber] = [0, 1, 2].map(() => new Connection(open, settings.silenceMs)) as [
    Connection,
    Connection,
    Connection,
  ];
  const close = () => {
    for (const each of [commands, reader, subscriber]) each.close();
  };
  try {
    await Promise.all([commands, reader, subscriber].map((each) => each.open(patienceMs)));
  } catch (error) {
    close();
    throw error;
  }
  return { keys: new Keys(settings.keyPrefix), commands, reader, subscriber, close };
}
