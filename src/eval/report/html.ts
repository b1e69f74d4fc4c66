import type { RunComparison } from '../compare/compare.js';
import type { Run, TrialResult } from '../run/types.js';
import { differenceMarkup } from './difference.js';
import { reasonOf } from './junit.js';
import { escapeMarkup } from './markup.js';
import { type Summary, summarise } from './summary.js';
import { histogram, shareBars } from './svg.js';

export interface Baseline {
  run: Run;
  comparison: RunComparison;
}

const SHOWN_CHARACTERS = 120;

const STYLE = `
body { font: 14px/1.5 system-ui, sans-serif; color: #24292f; max-width: 1100px; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.4rem; } h2 { font-size: 1.1rem; margin-top: 2rem; }
.plots { display: grid; grid-template-columns: repeat(auto-fit, minmax(480px, 1fr)); gap: 1rem; }
svg { max-width: 100%; height: auto; }
table { border-collapse: collapse; width: 100%; } th, td { text-align: left; padding: 4px 8px; border-bottom: 1px solid #d0d7de; vertical-align: top; }
th.number, td.number { text-align: right; font-variant-numeric: tabular-nums; }
pre { white-space: pre-wrap; overflow-wrap: anywhere; margin: 0; font-size: 12px; }
.passed { color: #1a7f37; } .failed { color: #cf222e; } .error, .unscored { color: #9a6700; }
.regressed { color: #cf222e; font-weight: 600; } .improved { color: #1a7f37; font-weight: 600; }
del { background: #ffcecb; } ins { background: #aceebb; } del, ins { text-decoration: none; }
summary { cursor: pointer; }
`;

/** Hides rows of the table of answers by status, tag or text; the page works without it. */
const SCRIPT = `
const rows = [...document.querySelectorAll('tr[data-status]')], shown = document.getElementById('shown');
const apply = () => {
  const status = document.getElementById('status').value, text = document.getElementById('text').value.toLowerCase();
  let count = 0;
  for (const row of rows) {
    row.hidden = (status && !row.dataset.status.split(' ').includes(status)) || (text && !row.textContent.toLowerCase().includes(text));
    if (!row.hidden) count += 1;
  }
  shown.textContent = count + ' of ' + rows.length;
};
for (const id of ['status', 'text']) document.getElementById(id).addEventListener('input', apply);
apply();
`;

/** One page that refers to nothing outside itself; beside a baseline, answers stand side by side. */
export function htmlReport(run: Run, baseline: Baseline | null = null): string {
  const { header, results } = run;
  const summary = summarise(results);
  const title = `${header.suite}: ${header.target.model}`;
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>${escapeMarkup(title)}</title><style>${STYLE}</style></head><body>
<h1>${escapeMarkup(title)}</h1>
${factsTable(run, summary)}
${baseline ? comparisonSection(baseline) : ''}
${plots(run, summary, baseline)}
${answersSection(results, baseline)}
<script>${SCRIPT}</script>
</body></html>
`;
}

function factsTable(
  { header }: Run,
  { all, latencyMs, dollarsPerRequest, completionTokens }: Summary,
): string {
  const { passRate, passRateInterval: interval, statuses } = all;
  const rows: [string, string][] = [
    [
      'Passed',
      passRate === null
        ? 'nothing was scored'
        : `${share(passRate)} (95 % interval ${share(interval[0])} to ${share(interval[1])})`,
    ],
    [
      'Cases, trials',
      `${all.cases}, ${all.trials}: ${statuses.passed} passed, ${statuses.failed} failed, ${statuses.unscored} not scored, ${statuses.error} errors`,
    ],
    [
      'Latency',
      latencyMs ? `p50 ${ms(latencyMs.p50)}, p95 ${ms(latencyMs.p95)}, p99 ${ms(latencyMs.p99)}` : '–',
    ],
    [
      'Answers',
      `${completionTokens} tokens${dollarsPerRequest === null ? '' : `, $${dollarsPerRequest.toPrecision(3)} a request`}`,
    ],
    [
      'Target',
      `${header.target.model}${header.target.url ? ` at ${header.target.url}` : ''} (${header.target.fingerprint})`,
    ],
    ['Judges', header.judges.join(', ') || 'none'],
    [
      'Run',
      `${header.id}, ${new Date(header.startedAtMs).toISOString()}, seed ${header.seed}, Sluice ${header.version}, suite ${header.suiteHash.slice(0, 12)}`,
    ],
  ];
  return `<table>${rows.map(([name, value]) => `<tr><th>${name}</th><td>${escapeMarkup(value)}</td></tr>`).join('')}</table>`;
}

function comparisonSection({ run, comparison }: Baseline): string {
  const rows = comparison.comparisons.map(
    ({ tag, cases, before, after, change, interval, verdict, casesNeeded }) =>
      `<tr><td>${escapeMarkup(tag ?? 'all')}</td>${[cases, before.toFixed(3), after.toFixed(3), change.toFixed(3), `${interval.low.toFixed(3)} to ${interval.high.toFixed(3)}`].map(number).join('')}<td class="${verdict}">${verdict}${verdict === 'too few cases' ? ` (${casesNeeded} would do)` : ''}</td></tr>`,
  );
  return `<h2>Against ${escapeMarkup(run.header.id)} (${escapeMarkup(run.header.target.model)})</h2>
<table><tr><th>Tag</th>${['Cases', 'Before', 'After', 'Change', '90 % interval'].map((name) => `<th class="number">${name}</th>`).join('')}<th>Verdict</th></tr>${rows.join('')}</table>`;
}

function plots({ results }: Run, summary: Summary, baseline: Baseline | null): string {
  const earlier = new Map(
    baseline ? summarise(baseline.run.results).byTag.map(({ tag, passRate }) => [tag, passRate]) : [],
  );
  const bars = summary.byTag.flatMap(({ tag, passRate, passRateInterval }) => {
    const other = earlier.get(tag);
    const row = { label: tag!, value: passRate ?? 0, interval: passRateInterval };
    return passRate === null ? [] : [typeof other === 'number' ? { ...row, other } : row];
  });
  const scores = results.flatMap(({ score }) => score ?? []);
  const latencies = results.flatMap(({ answer }) => answer?.latencyMs ?? []);
  const costs = results.flatMap(({ answer }) => answer?.costDollars ?? []);
  const figures = [
    bars.length > 0 ? figure(`Passed by tag${baseline ? ' (mark: baseline)' : ''}`, shareBars(bars)) : '',
    figure('Scores', histogram(scores, 0, 1, '')),
    latencies.length > 0 ? figure('Latency', histogram(latencies, 0, Math.max(...latencies), 'ms')) : '',
    costs.length > 0 ? figure('Cost', histogram(costs, 0, Math.max(...costs), '$')) : '',
  ];
  return `<div class="plots">${figures.join('')}</div>`;
}

function answersSection(results: readonly TrialResult[], baseline: Baseline | null): string {
  const key = ({ caseId, repeat }: TrialResult) => `${repeat} ${caseId}`;
  const earlier = new Map(baseline?.run.results.map((result) => [key(result), result]));
  const rows = results.map((result) =>
    answerRow(result, baseline ? (earlier.get(key(result)) ?? null) : undefined),
  );
  const filters = ['passed', 'failed', 'unscored', 'error', ...(baseline ? ['changed'] : [])];
  const options = filters.map((filter) => `<option>${filter}</option>`).join('');
  return `<h2>Answers</h2><p><select id="status"><option value="">all</option>${options}</select> <input id="text" placeholder="text or tag"> <span id="shown"></span></p>
<table><tr><th>Case</th><th>Prompt</th><th>Expected</th>${baseline ? '<th>Before</th>' : ''}<th>Answer</th></tr>
${rows.join('\n')}</table>`;
}

/** `old`: of the baseline; null: it lacks this one; undefined: there is no baseline. */
function answerRow(result: TrialResult, old: TrialResult | null | undefined): string {
  const { caseId, repeat, tags, prompt, expected, status } = result;
  const [text, oldText] = [result, old].map((each) => each?.answer?.text ?? '') as [string, string];
  const isChanged = old ? oldText !== text || old.score !== result.score : false;
  const shown = old && oldText !== text ? differenceMarkup(oldText, text) : null;
  const name = repeat === 0 ? caseId : `${caseId} (repeat ${repeat + 1})`;
  const cells = [
    `${escapeMarkup(name)}<br><small>${escapeMarkup(tags.join(', '))}</small>`,
    promptCell(prompt),
    `<pre>${escapeMarkup(expected.join('\n'))}</pre>`,
    ...(old
      ? [`<pre>${shown?.before ?? escapeMarkup(oldText)}</pre>${statusOf(old)}`]
      : old === null
        ? ['']
        : []),
    `<pre>${shown?.after ?? escapeMarkup(text)}</pre>${statusOf(result)}`,
  ];
  return `<tr data-status="${status}${isChanged ? ' changed' : ''}">${cells.map((cell) => `<td>${cell}</td>`).join('')}</tr>`;
}

function promptCell(prompt: string): string {
  const whole = `<pre>${escapeMarkup(prompt)}</pre>`;
  if (prompt.length <= SHOWN_CHARACTERS) return whole;
  return `<details><summary>${escapeMarkup(`…${prompt.slice(-SHOWN_CHARACTERS)}`)}</summary>${whole}</details>`;
}

/** How it was scored, and what the scorers say of it. */
function statusOf(result: TrialResult): string {
  const reason = `<small class="${result.status}">${result.status}: ${escapeMarkup(reasonOf(result))}</small>`;
  const details = result.scores.flatMap(({ name, detail }) => (detail ? [`${name}: ${detail}`] : []));
  if (details.length === 0) return reason;
  return `<details><summary>${reason}</summary><pre>${escapeMarkup(details.join('\n'))}</pre></details>`;
}

function figure(title: string, svg: string): string {
  return `<div><h2>${title}</h2>${svg}</div>`;
}

function number(value: number | string): string {
  return `<td class="number">${value}</td>`;
}

function share(value: number): string {
  return `${(value * 100).toFixed(1)} %`;
}

function ms(value: number): string {
  return `${Math.round(value)} ms`;
}
