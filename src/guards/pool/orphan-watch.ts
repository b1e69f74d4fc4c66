/** A thread that ends its process after the parent has gone, even where the main thread hangs and hears of nothing. */
import { workerData as parent } from 'node:worker_threads';

const INTERVAL_MS = 500;

setInterval(() => {
  if (process.ppid !== parent) process.kill(process.pid, 'SIGKILL');
}, INTERVAL_MS);
