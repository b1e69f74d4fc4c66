import type { MessagePort } from 'node:worker_threads';

/** Engine thread → disk worker. */
export type DiskCommand =
  | { type: 'write'; key: string; bytes: Uint8Array }
  | { type: 'read'; key: string }
  | { type: 'close' };

/** Disk worker → engine thread. */
export type DiskReport =
  | { type: 'found'; keys: string[] } // at the start
  | { type: 'written'; key: string; kept: boolean }
  | { type: 'removed'; key: string }
  | { type: 'page'; key: string; bytes: Uint8Array | null; elapsedMs: number }
  | { type: 'fault'; message: string };

export interface DiskWorkerData {
  port: MessagePort;
  directory: string;
  maxBytes: number;
}
