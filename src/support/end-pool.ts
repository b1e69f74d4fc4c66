import type { Piscina } from 'piscina';

/**
 * Ends a pool and its threads. The pool would replace a thread that ends after this, as one does that was stopped in the middle
 * of a long call: the new one would be nobody's, and keep the process until it has loaded all it needs.
 */
export async function endPool(pool: Piscina): Promise<void> {
  pool.options.minThreads = 0;
  await pool.destroy();
}
