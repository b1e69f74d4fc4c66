import type { RequestTrace } from '../../bench/client/types.js';
import { summarise } from '../../bench/measure.js';
import type { Run } from '../../bench/scenarios/outcome.js';

/** A request that was answered with one token, or what `differences` make of it. */
export function traceOf(differences: Partial<RequestTrace> = {}): RequestTrace {
  return {
    startedAtMs: 0,
    endedAtMs: 1,
    tokenAtMs: [1],
    outputTokens: 1,
    promptTokens: null,
    cachedTokens: null,
    endings: 1,
    outcome: 'finished',
    error: null,
    ...differences,
  };
}

/** A second in which a server answered `requests`, all alike. */
export function runOf(
  server: string,
  workload: string,
  { ttftMs = 1, tokens = 1, requests = 1, cpuCores = 1 },
): Run {
  const trace = traceOf({ endedAtMs: ttftMs, tokenAtMs: [ttftMs], outputTokens: tokens });
  const traces = Array<RequestTrace>(requests).fill(trace);
  return {
    server,
    serverVersion: null,
    commandLine: null,
    workload,
    round: 1,
    purpose: 'measure',
    summary: summarise({ traces, wallMs: 1000, skippedArrivals: 0 }, { ttftMs: 1, tpotMs: 1 }),
    usage: { peakRssMiB: 1, cpuCores, otherCpuCores: 0 },
  };
}
