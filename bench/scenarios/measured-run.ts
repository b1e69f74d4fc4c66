import { type ServiceLevel, summarise } from '../measure.js';
import { readCpu, usageBetween } from '../servers/cpu-meter.js';
import type { ServerProcess } from '../servers/server.js';
import type { LoadResult } from '../workload/run-load.js';
import type { Run } from './outcome.js';

/** Requests have no tokens to wait for; the schema asks for a level. */
const LEVEL: ServiceLevel = { ttftMs: 1000, tpotMs: 100 };

/** A load, and what the server's process took for it. */
export async function measuredRun(
  what: Pick<Run, 'server' | 'serverVersion' | 'workload' | 'round'>,
  process: ServerProcess,
  load: () => Promise<LoadResult>,
): Promise<Run> {
  const before = await readCpu(process.pid);
  const result = await load();
  const usage = usageBetween(before, await readCpu(process.pid));
  const { commandLine } = process;
  return { ...what, commandLine, purpose: 'measure', summary: summarise(result, LEVEL), usage };
}
