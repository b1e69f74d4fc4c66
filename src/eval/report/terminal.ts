import { formatTable } from '../../support/table.js';
import { isEmpty, type RunComparison } from '../compare/compare.js';
import type { Run } from '../run/types.js';
import { reasonOf } from './junit.js';
import { type Summary, summarise, type Tally } from './summary.js';

const SHOWN_TROUBLES = 5;
const SHOWN_CHANGES = 10;

export function runTable(run: Run): string {
  const summary = summarise(run.results);
  const rows = [...summary.byTag, summary.all].map(rowOf);
  const header = ['TAG', 'CASES', 'PASSED', '95 % INTERVAL', 'SCORE', 'UNSCORED', 'ERRORS'];
  return [formatTable(header, rows), ...facts(run, summary), ...troubles(run)].join('\n');
}

export function comparisonTable(comparison: RunComparison): string {
  const rows = comparison.comparisons.map((each) => [
    each.tag ?? 'all',
    String(each.cases),
    each.before.toFixed(3),
    each.after.toFixed(3),
    signed(each.change),
    `${signed(each.interval.low)} to ${signed(each.interval.high)}`,
    `+${each.newlyPassed} −${each.newlyFailed}`,
    each.mcnemarP.toPrecision(2),
    each.verdict === 'too few cases' ? `too few cases (${each.casesNeeded} would do)` : each.verdict,
  ]);
  const header = [
    'TAG',
    'CASES',
    'BEFORE',
    'AFTER',
    'CHANGE',
    '90 % INTERVAL',
    'PASSED',
    'MCNEMAR P',
    'VERDICT',
  ];
  const { onlyBefore, onlyAfter, isSameSuite } = comparison;
  const notes = [
    ...(isEmpty(comparison) ? ['No case was scored in both runs.'] : []),
    ...(onlyBefore + onlyAfter > 0
      ? [`Left out: ${onlyBefore} cases only before, ${onlyAfter} only after.`]
      : []),
    ...(isSameSuite
      ? []
      : ['The suite has changed between the runs: only cases of the same id are compared.']),
  ];
  return [formatTable(header, rows), ...fallen(comparison.changed), ...notes.map((note) => `${note}\n`)].join(
    '',
  );
}

/** Where to look first. */
function fallen(changed: RunComparison['changed']): string[] {
  const worse = changed.filter(({ before, after }) => after < before);
  if (worse.length === 0) return [];
  const lines = worse
    .slice(0, SHOWN_CHANGES)
    .map(({ caseId, before, after }) => `  ${caseId}: ${before.toFixed(2)} → ${after.toFixed(2)}\n`);
  const more = worse.length > lines.length ? [`  and ${worse.length - lines.length} more\n`] : [];
  return [`${worse.length} of ${changed.length} changed cases are worse:\n`, ...lines, ...more];
}

function rowOf({
  tag,
  cases,
  passRate,
  passRateInterval: [low, high],
  meanScore,
  statuses,
}: Tally): string[] {
  return [
    tag ?? 'all',
    String(cases),
    passRate === null ? '–' : percent(passRate),
    passRate === null ? '–' : `${percent(low)} to ${percent(high)}`,
    meanScore === null ? '–' : meanScore.toFixed(3),
    String(statuses.unscored),
    String(statuses.error),
  ];
}

function facts({ header }: Run, { latencyMs, completionTokens, dollarsPerRequest }: Summary): string[] {
  const times =
    latencyMs && [latencyMs.p50, latencyMs.p95, latencyMs.p99].map((ms) => `${Math.round(ms)} ms`);
  return [
    ...(times
      ? [`Latency p50 ${times[0]}, p95 ${times[1]}, p99 ${times[2]}; ${completionTokens} tokens answered.`]
      : []),
    ...(dollarsPerRequest === null ? [] : [`Cost $${dollarsPerRequest.toPrecision(3)} a request.`]),
    `Run ${header.id}: ${header.target.model}${header.target.url ? ` at ${header.target.url}` : ''}.`,
    '',
  ];
}

/** What wasn't scored, and why: nobody should have to look for it. */
function troubles({ results }: Run): string[] {
  const bad = results.filter(({ status }) => status === 'error' || status === 'unscored');
  if (bad.length === 0) return [];
  const lines = bad
    .slice(0, SHOWN_TROUBLES)
    .map((result) => `  ${result.caseId}: ${reasonOf(result).slice(0, 200)}`);
  const more = bad.length > lines.length ? [`  and ${bad.length - lines.length} more`] : [];
  return ['Not scored:', ...lines, ...more, ''];
}

function percent(share: number): string {
  return `${(share * 100).toFixed(1)} %`;
}

function signed(value: number): string {
  return `${value < 0 ? '−' : '+'}${Math.abs(value).toFixed(3)}`;
}
