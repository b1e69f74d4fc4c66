import { readFileSync } from 'node:fs';
import { createClient, createCluster, RESP_TYPES } from 'redis';
import { type Config, ConfigError } from '../config/index.js';

/** What is used of node-redis, the same for one server and for a Redis Cluster. Replies are RESP2's, with Buffers. */
export interface RawClient {
  connect(): Promise<void>;
  /** One command, to the node that has the key. */
  send(key: string, args: readonly Argument[]): Promise<Reply>;
  subscribe(channel: string, listener: (message: Buffer) => void): Promise<void>;
  /** Rejects whatever is under way. */
  destroy(): void;
  /** What went wrong last; null: nothing did. */
  fault(): Error | null;
}

export type Argument = string | Buffer;
export type Reply = null | number | Buffer | Reply[];

const BUFFERS = { [RESP_TYPES.BLOB_STRING]: Buffer, [RESP_TYPES.SIMPLE_STRING]: Buffer };
const RECONNECT_STEP_MS = 50;
const RECONNECT_MAX_MS = 1_000;

/** Throws ConfigError where a file that the settings name can't be read, now or when a client is made. */
export function clientFactory(settings: Config['redis']): () => RawClient {
  const { username, password } = new URL(settings.url);
  const url = settings.url.replace(/\/\/[^/]*@/, '//'); // what it says of the user would go before the settings
  const common = (isOver: () => boolean = () => false) => ({
    ...credentialsOf(settings, { username, password }),
    disableOfflineQueue: true,
    socket: {
      ...tlsOf(settings),
      connectTimeout: settings.silenceMs,
      reconnectStrategy: (retries: number) =>
        !isOver() && Math.min(RECONNECT_MAX_MS, RECONNECT_STEP_MS * (retries + 1)),
    },
  });
  common();
  return settings.isCluster ? () => clusterClient(url, common) : () => singleClient(url, common());
}

/** Asked for with each connection, so that a password may be changed while the server runs. */
function credentialsOf(settings: Config['redis'], inUrl: { username: string; password: string }) {
  const { passwordFile } = settings;
  const username = settings.username || decodeURIComponent(inUrl.username) || 'default';
  const password = () =>
    passwordFile === ''
      ? decodeURIComponent(inUrl.password)
      : readSetting('passwordFile', passwordFile).trim();
  if (username === 'default' && password() === '') return {};
  const credentials = async () => ({ username, password: password() });
  return { credentialsProvider: { type: 'async-credentials-provider' as const, credentials } };
}

function tlsOf({ url, caFile, certificateFile, keyFile }: Config['redis']) {
  if (!url.startsWith('rediss:')) {
    if (caFile + certificateFile + keyFile === '') return {};
    throw new ConfigError(['redis.url: certificates are of use with rediss:// only']);
  }
  if ((certificateFile === '') !== (keyFile === ''))
    throw new ConfigError(['redis.certificateFile and redis.keyFile go together']);
  return {
    tls: true as const,
    ...(caFile === '' ? {} : { ca: readSetting('caFile', caFile) }),
    ...(certificateFile === ''
      ? {}
      : { cert: readSetting('certificateFile', certificateFile), key: readSetting('keyFile', keyFile) }),
  };
}

type Common = NonNullable<Parameters<typeof createCluster>[0]['defaults']>;

function singleClient(url: string, common: Common): RawClient {
  const client = createClient({ url, RESP: 2, ...common }).withTypeMapping(BUFFERS);
  const fault = lastFault(client);
  return {
    connect: async () => void (await client.connect()),
    send: (_key, args) => client.sendCommand<Reply>(args),
    subscribe: (channel, listener) => client.subscribe(channel, listener, true),
    destroy: () => client.destroy(),
    fault,
  };
}

/** One that is still looking for its nodes doesn't end when it is destroyed, so its attempts ask whether they may go on. */
function clusterClient(url: string, commonOf: (isOver: () => boolean) => Common): RawClient {
  let isOver = false;
  const common = commonOf(() => isOver);
  const cluster = createCluster({
    rootNodes: [{ url, ...common }],
    defaults: common,
    RESP: 2,
  }).withTypeMapping(BUFFERS);
  const fault = lastFault(cluster);
  return {
    connect: async () => {
      await cluster.connect();
      if (isOver) cluster.destroy();
    },
    send: (key, args) => cluster.sendCommand<Reply>(key, false, [...args]),
    subscribe: (channel, listener) => cluster.subscribe(channel, listener, true),
    destroy: () => {
      isOver = true;
      cluster.destroy();
    },
    fault,
  };
}

/** Commands say what fails; without a listener the event would end the process. */
function lastFault(client: { on(event: 'error', listener: (error: Error) => void): void }) {
  let last: Error | null = null;
  client.on('error', (error) => {
    last = error;
  });
  return () => last;
}

function readSetting(name: string, path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw new ConfigError([`redis.${name}: ${(error as Error).message}`]);
  }
}
