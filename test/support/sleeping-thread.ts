import { spawnSync } from 'node:child_process';

/** A pool's task that says that it runs, and blocks its thread: terminating that takes until the call is over. */
export default function sleep(running: Int32Array): void {
  Atomics.store(running, 0, 1);
  spawnSync('sleep', ['1']);
}
