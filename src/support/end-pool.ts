import type { Piscina } from 'piscina';

/**
 * Ends a pool and its threads, for good. By itself it would start new ones, which keep the process until they have loaded all they
 * need: for a task that comes after this, and for a thread that was stopped in the middle of a long call and ends after this.
 */
export async function endPool(pool: Piscina): Promise<void> {
  Object.assign(pool.options, { minThreads: 0, maxThreads: 0, maxQueue: 0 }); // it then refuses tasks
  await pool.destroy();
}
