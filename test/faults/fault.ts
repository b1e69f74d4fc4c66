import type { Random } from '../sim/random.js';
import type { ClusterWorld, WorldOptions } from './world.js';

/** Something that goes wrong. */
export interface Fault {
  name: string;
  /** With the clients; else after some moment, when most are in the middle of their streams. */
  isAtOnce?: boolean;
  /** Returns when it is over, and the cluster whole again. */
  happen(scene: Scene): Promise<void>;
  /** Sockets hold little: set where a test has its own network namespace. */
  hasSmallBuffers?: boolean;
  world?: Partial<WorldOptions>;
  /** How long clients read nothing, in the middle of their streams. */
  readPauseMs?: (scene: Scene) => number;
}

export interface Scene {
  world: ClusterWorld;
  random: Random;
  longestMs: number; // that what is paused, cut off or hung may be so
}
