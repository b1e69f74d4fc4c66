import type { SluiceError } from '../errors.js';

export type BackgroundOutcome = { result: object } | { error: SluiceError };

export interface BackgroundRequest {
  id: string;
  createdMs: number; // epoch
  ended: { atMs: number; outcome: BackgroundOutcome } | null; // null: it is under way
}

/** Where gateways that share their clients see each other's background requests. */
export interface BackgroundBoard {
  /** That it is under way here, or has ended. */
  post(owner: string, request: BackgroundRequest): Promise<void>;
  /** Another's, too; null where there is none. */
  find(owner: string, id: string): Promise<BackgroundRequest | null>;
  /** Wherever it is under way, it ends. False where there was none. */
  remove(owner: string, id: string): Promise<boolean>;
  /** What was removed elsewhere. */
  onRemoved: ((owner: string, id: string) => void) | null;
}

/** Of a server that is alone. */
export const noBoard: BackgroundBoard = {
  post: () => Promise.resolve(),
  find: () => Promise.resolve(null),
  remove: () => Promise.resolve(false),
  onRemoved: null,
};
