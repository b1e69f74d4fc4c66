import type { Caller } from '../auth/caller.js';
import { type GuardMode, guardModes } from '../config/index.js';
import type { BlockReport } from '../generation/report.js';
import type { GuardMetrics } from '../telemetry/guards.js';
import type { Audit } from './audit.js';
import { warningOf } from './report.js';
import type { GuardContext, GuardText, Hit } from './types.js';

/** What guards found in one request and its answer, told to all who want to know. */
export class Journal {
  /** Of the request, for the answer's head. */
  readonly warnings = new Set<string>();
  readonly #audit: Audit;
  readonly #metrics: GuardMetrics;
  readonly #caller: Caller;
  readonly #report: { guardResult: string | null };
  #blocked: BlockReport | null = null;

  constructor(parts: {
    audit: Audit;
    metrics: GuardMetrics;
    caller: Caller;
    report: { guardResult: string | null };
  }) {
    this.#audit = parts.audit;
    this.#metrics = parts.metrics;
    this.#caller = parts.caller;
    this.#report = parts.report;
  }

  get blocked(): BlockReport | null {
    return this.#blocked;
  }

  block(report: BlockReport): void {
    this.#blocked = report;
    this.#metrics.blocked(report);
  }

  note(context: GuardContext, hits: readonly Hit[], texts: readonly GuardText[]): void {
    const settled = hits.filter(({ mode }) => mode !== 'unsure');
    if (settled.length === 0) return;
    this.#audit.record(context, this.#caller, settled, texts);
    for (const hit of settled) {
      this.#metrics.findings.labels(hit.guard, context.stage, hit.mode).inc();
      if (hit.mode === 'warn' && context.stage === 'input') this.warnings.add(warningOf(hit));
    }
    const results = settled.map((hit) => `${hit.mode}:${context.stage}:${warningOf(hit)}`);
    this.#report.guardResult = strictest(this.#report.guardResult, results);
  }
}

/** Of results as the ledger has them: "block:input:pii/email". */
function strictest(before: string | null, results: readonly string[]): string | null {
  const rank = (result: string) => guardModes.indexOf(result.split(':')[0] as GuardMode);
  return [...(before === null ? [] : [before]), ...results].reduce<string | null>(
    (strict, result) => (strict === null || rank(result) > rank(strict) ? result : strict),
    null,
  );
}
