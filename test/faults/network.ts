import { spawnSync } from 'node:child_process';
import { startProxy } from '../support/proxy.js';

export type Direction = 'to-server' | 'to-client';

/** A member's own way to Redis. It can be cut, in one direction too, without either side being told. */
export interface Wire {
  url: string;
  cut(directions: readonly Direction[]): void;
  mend(): void;
  close(): void;
}

export interface Network {
  /** What Redis has to be started with. */
  readonly redisArguments: string[];
  wireTo(redisPort: number): Promise<Wire>;
}

/** Through a process of ours that throws away what it should pass on. It needs no rights; a mended way is a new connection. */
export const proxied: Network = {
  redisArguments: [],
  wireTo: async (redisPort) => {
    const proxy = await startProxy(redisPort);
    return {
      url: `redis://127.0.0.1:${proxy.port}`,
      cut: (directions) => proxy.cut(directions.length === 2 ? 'both' : directions[0]!),
      mend: () => proxy.mend(),
      close: () => proxy.close(),
    };
  },
};

const TABLE = 'inet faults';
const ADDRESSES = Array.from({ length: 15 }, (_, index) => `127.0.1.${index + 1}`); // Redis binds to at most 16
const SETS: Record<Direction, string> = { 'to-server': 'to_server', 'to-client': 'to_client' };

/**
 * Packets are dropped by nftables, in a network namespace that this process must be alone in. Each member reaches Redis by an
 * address of its own; a mended connection goes on by TCP's retransmissions.
 */
export function filtered(): Network {
  nft(`add table ${TABLE}`);
  nft(`add chain ${TABLE} input { type filter hook input priority 0; }`);
  for (const set of Object.values(SETS)) nft(`add set ${TABLE} ${set} { type ipv4_addr; }`);
  nft(`add rule ${TABLE} input meta l4proto tcp ip daddr @${SETS['to-server']} drop`);
  nft(`add rule ${TABLE} input meta l4proto tcp ip saddr @${SETS['to-client']} drop`);
  const free = [...ADDRESSES];
  return {
    redisArguments: ['--bind', '127.0.0.1', ...ADDRESSES],
    wireTo: async (redisPort) => {
      const address = free.shift();
      if (address === undefined) throw new Error(`no more than ${ADDRESSES.length} members at a time`);
      let isCut: readonly Direction[] = [];
      const mend = () => {
        for (const direction of isCut) nft(`delete element ${TABLE} ${SETS[direction]} { ${address} }`);
        isCut = [];
      };
      return {
        url: `redis://${address}:${redisPort}`,
        cut: (directions) => {
          mend();
          isCut = directions;
          for (const direction of directions) nft(`add element ${TABLE} ${SETS[direction]} { ${address} }`);
        },
        mend,
        close: () => {
          mend();
          free.push(address);
        },
      };
    },
  };
}

function nft(command: string): void {
  const { status, stderr, error } = spawnSync('nft', [command], { encoding: 'utf8' });
  if (error) throw new Error(`nft can't be run (${error.message}). Install it: apt-get install nftables`);
  if (status !== 0) throw new Error(`nft ${command}: ${stderr}`);
}
