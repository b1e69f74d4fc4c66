import type { RequestTrace } from './client/types.js';
import { type Spread, spread } from './statistics.js';
import type { LoadResult } from './workload/run-load.js';

/** What a user would call good service; requests within both bounds are goodput. */
export interface ServiceLevel {
  ttftMs: number;
  tpotMs: number; // mean time per output token after the first
}

export interface Summary {
  wallSeconds: number;
  requests: { finished: number; cancelled: number; failed: number; skippedArrivals: number };
  errors: Record<string, number>; // failures by kind
  requestsPerSecond: number;
  outputTokensPerSecond: number;
  promptTokensPerSecond: number; // cached ones included
  cachedPromptShare: number | null; // of the prompt tokens, where the server tells
  ttftMs: Spread | null; // sending to the first message with text
  itlMs: Spread | null; // gaps between messages with text
  tpotMs: Spread | null; // per request: (last − first text) / (tokens − 1)
  e2eMs: Spread | null;
  goodput: { level: ServiceLevel; requestsPerSecond: number; share: number };
}

/** Latencies are of finished requests; throughput counts the tokens of all. */
export function summarise(result: LoadResult, level: ServiceLevel): Summary {
  const { traces } = result;
  const wallSeconds = result.wallMs / 1000;
  const finished = traces.filter((trace) => trace.outcome === 'finished');
  const failed = traces.filter((trace) => trace.outcome === 'failed');
  const good = finished.filter((trace) => meets(trace, level)).length;
  return {
    wallSeconds,
    requests: {
      finished: finished.length,
      cancelled: traces.length - finished.length - failed.length,
      failed: failed.length,
      skippedArrivals: result.skippedArrivals,
    },
    errors: countBy(failed, (trace) => trace.error ?? 'unknown'),
    requestsPerSecond: finished.length / wallSeconds,
    outputTokensPerSecond: sum(traces, (trace) => trace.outputTokens) / wallSeconds,
    promptTokensPerSecond: sum(traces, (trace) => trace.promptTokens ?? 0) / wallSeconds,
    cachedPromptShare: cachedShare(finished),
    ttftMs: spread(finished.flatMap((trace) => timeToFirstTokenMs(trace) ?? [])),
    itlMs: spread(finished.flatMap(gapsMs)),
    tpotMs: spread(finished.flatMap((trace) => timePerOutputTokenMs(trace) ?? [])),
    e2eMs: spread(finished.map((trace) => trace.endedAtMs - trace.startedAtMs)),
    goodput: {
      level,
      requestsPerSecond: good / wallSeconds,
      share: traces.length === 0 ? 0 : good / traces.length,
    },
  };
}

export function timeToFirstTokenMs(trace: RequestTrace): number | null {
  const first = trace.tokenAtMs[0];
  return first === undefined ? null : first - trace.startedAtMs;
}

export function gapsMs(trace: RequestTrace): number[] {
  return trace.tokenAtMs.slice(1).map((atMs, index) => atMs - trace.tokenAtMs[index]!);
}

function timePerOutputTokenMs(trace: RequestTrace): number | null {
  const first = trace.tokenAtMs[0];
  const last = trace.tokenAtMs.at(-1);
  if (first === undefined || last === undefined || trace.outputTokens < 2) return null;
  return (last - first) / (trace.outputTokens - 1);
}

function meets(trace: RequestTrace, level: ServiceLevel): boolean {
  const ttftMs = timeToFirstTokenMs(trace);
  return ttftMs !== null && ttftMs <= level.ttftMs && (timePerOutputTokenMs(trace) ?? 0) <= level.tpotMs;
}

function cachedShare(finished: RequestTrace[]): number | null {
  const telling = finished.filter((trace) => trace.cachedTokens !== null && trace.promptTokens !== null);
  const promptTokens = sum(telling, (trace) => trace.promptTokens!);
  return promptTokens === 0 ? null : sum(telling, (trace) => trace.cachedTokens!) / promptTokens;
}

function sum<T>(items: readonly T[], value: (item: T) => number): number {
  return items.reduce((total, item) => total + value(item), 0);
}

function countBy<T>(items: readonly T[], key: (item: T) => string): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const item of items) counts[key(item)] = (counts[key(item)] ?? 0) + 1;
  return counts;
}
