/**
 * Seeded runs of the engine over a fake model, on all cores; the first that fails is named, shrunk, and ends it with exit code 1.
 * Usage: npm run test:sim -- [--seeds 100000] [--first 1] [--threads CORES]
 */
import { once } from 'node:events';
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import { assertCoverage, runSeeds, sumOf } from './run.js';
import type { RunSummary } from './world.js';

interface Range {
  first: number;
  seeds: number;
}

if (isMainThread) await runAll();
else {
  const { first, seeds } = workerData as Range;
  parentPort!.postMessage(runSeeds(first, seeds));
}

async function runAll(): Promise<void> {
  const { values: options } = parseArgs({
    options: {
      seeds: { type: 'string', default: '100000' },
      first: { type: 'string', default: '1' },
      threads: { type: 'string', default: String(availableParallelism()) },
    },
  });
  const all = { first: wholeNumber('first', options.first), seeds: wholeNumber('seeds', options.seeds) };
  const threads = wholeNumber('threads', options.threads);
  const startedMs = Date.now();
  try {
    const total = sumOf(await Promise.all(ranges(all, threads).map(runElsewhere)));
    console.log(JSON.stringify(total));
    assertCoverage(total, all.seeds);
    const seconds = ((Date.now() - startedMs) / 1000).toFixed(0);
    console.log(`${all.seeds} seeds from ${all.first} on, none failed; ${seconds} s on ${threads} threads.`);
  } catch (error) {
    console.error(error);
    process.exit(1); // whatever the other threads are at
  }
}

/** Parts of one range, as equal as can be. */
function ranges({ first, seeds }: Range, parts: number): Range[] {
  const bounds = Array.from({ length: parts + 1 }, (_, part) => first + Math.floor((seeds * part) / parts));
  return bounds.slice(1).flatMap((end, part) => {
    const begin = bounds[part]!;
    return end > begin ? [{ first: begin, seeds: end - begin }] : [];
  });
}

async function runElsewhere(range: Range): Promise<RunSummary> {
  const [summary] = await once(new Worker(fileURLToPath(import.meta.url), { workerData: range }), 'message');
  return summary;
}

function wholeNumber(name: string, text: string): number {
  const value = Number(text);
  if (Number.isSafeInteger(value) && value > 0) return value;
  throw new RangeError(`--${name} must be a whole number above 0, not ${text}.`);
}
