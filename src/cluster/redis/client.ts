import { readFileSync } from 'node:fs';
import { createClient, createCluster, RESP_TYPES } from 'redis';
import { type Config, ConfigError } from '../../config/index.js';

/** What is used of node-redis, the same for one server and for a Redis Cluster. Replies are RESP2's, with Buffers. */
export interface RawClient {
  connect(): Promise<void>;
  /** One command, to the node that has the key. */
  send(key: string, args: readonly Argument[]): Promise<Reply>;
  subscribe(channel: string, listener: (message: Buffer) => void): Promise<void>;
  /** Rejects whatever is under way. */
  destroy(): void;
}

export type Argument = string | Buffer;
export type Reply = null | number | Buffer | Reply[];

const BUFFERS = { [RESP_TYPES.BLOB_STRING]: Buffer, [RESP_TYPES.SIMPLE_STRING]: Buffer };
const RECONNECT_STEP_MS = 50;
const RECONNECT_MAX_MS = 1_000;

/** Throws ConfigError where a file that the settings name can't be read. */
export function clientFactory(settings: Config['redis']): () => RawClient {
  const { url, username } = settings;
  const password = readSetting('passwordFile', settings.passwordFile)?.trim();
  const ca = readSetting('caFile', settings.caFile);
  const common = {
    ...(username === '' ? {} : { username }),
    ...(password === undefined ? {} : { password }),
    disableOfflineQueue: true,
    socket: {
      ...(url.startsWith('rediss:') ? { tls: true as const, ...(ca === undefined ? {} : { ca }) } : {}),
      connectTimeout: settings.silenceMs,
      reconnectStrategy: (retries: number) => Math.min(RECONNECT_MAX_MS, RECONNECT_STEP_MS * (retries + 1)),
    },
  };
  return settings.isCluster ? () => clusterClient(url, common) : () => singleClient(url, common);
}

type Common = NonNullable<Parameters<typeof createCluster>[0]['defaults']>;

function singleClient(url: string, common: Common): RawClient {
  const client = createClient({ url, RESP: 2, ...common }).withTypeMapping(BUFFERS);
  client.on('error', ignored);
  return {
    connect: async () => void (await client.connect()),
    send: (_key, args) => client.sendCommand<Reply>(args),
    subscribe: (channel, listener) => client.subscribe(channel, listener, true),
    destroy: () => client.destroy(),
  };
}

function clusterClient(url: string, common: Common): RawClient {
  const cluster = createCluster({
    rootNodes: [{ url, ...common }],
    defaults: common,
    RESP: 2,
  }).withTypeMapping(BUFFERS);
  cluster.on('error', ignored);
  return {
    connect: async () => void (await cluster.connect()),
    send: (key, args) => cluster.sendCommand<Reply>(key, false, [...args]),
    subscribe: (channel, listener) => cluster.subscribe(channel, listener, true),
    destroy: () => cluster.destroy(),
  };
}

/** Commands say what fails; without a listener the event would end the process. */
function ignored(): void {}

function readSetting(name: string, path: string): string | undefined {
  if (path === '') return undefined;
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw new ConfigError([`redis.${name}: ${(error as Error).message}`]);
  }
}
