import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import { summarise } from '../../bench/measure.js';
import { barChart } from '../../bench/report/bar-chart.js';
import { compareRuns } from '../../bench/report/compare.js';
import { lineChart } from '../../bench/report/line-chart.js';
import { describeMachine } from '../../bench/report/machine.js';
import { meetsTarget, type Report, type Run, reportSchema } from '../../bench/report/schema.js';
import { formatReport } from '../../bench/report/terminal.js';
import { chartPanels, completeReport, stepPanels, writeReport } from '../../bench/report/write.js';
import { traceOf } from '../support/bench-runs.js';

function run(server: string, round: number, tokens: number, purpose: Run['purpose'] = 'measure'): Run {
  const finished = traceOf({ endedAtMs: 1000, tokenAtMs: [100, 200], outputTokens: tokens, promptTokens: 5 });
  const level = { ttftMs: 1000, tpotMs: 100 };
  const summary = summarise({ traces: [finished], wallMs: 1000, skippedArrivals: 0 }, level);
  const usage = { peakRssMiB: 100, cpuCores: 1.5, otherCpuCores: 0 };
  return {
    server,
    serverVersion: '1',
    commandLine: `${server} --x`,
    workload: 'w',
    round,
    purpose,
    summary,
    usage,
  };
}

const runs = [
  run('sluice', 1, 30),
  run('sluice', 2, 90),
  run('sluice', 3, 40),
  run('llama-server', 1, 20),
  run('llama-server', 2, 10),
  run('llama-server', 3, 1000, 'sweep'),
];

function report(): Report {
  const figures = [
    { name: 'f', value: 2, unit: 'ms', target: { bound: 'atMost' as const, value: 3 } },
    { name: 'g', value: 2, unit: 'x', target: { bound: 'atLeast' as const, value: 3 } },
  ];
  const measured = { scenario: 'peers', options: { rounds: 3 }, runs, figures };
  const comparisons = compareRuns(runs, 'llama-server');
  return completeReport({ ...measured, comparisons }, new Date('2026-01-02T03:04:05Z'));
}

test('comparisons are medians of the measuring rounds, as ratios to the baseline', () => {
  const throughput = compareRuns(runs, 'llama-server').find((one) => one.metric === 'output tokens');
  assert.deepEqual(throughput?.medians, { sluice: 40, 'llama-server': 15 });
  assert.ok(Math.abs(throughput!.ratios.sluice! - 40 / 15) < 1e-9);
});

test('a report survives being written and read', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'sluice-bench-'));
  t.after(() => rm(folder, { recursive: true }));
  const written = report();
  const [json, svg] = await writeReport(written, folder);
  assert.match(json!, /2026-01-02T030405-peers\.json$/);
  assert.deepEqual(reportSchema.parse(JSON.parse(await readFile(json!, 'utf8'))), written);
  assert.match(await readFile(svg!, 'utf8'), /^<svg /);
});

test('a report with fields of its own is refused', () => {
  assert.throws(() => reportSchema.parse({ ...report(), hostname: 'x' }));
});

test('the machine is described by its hardware', () => {
  const machine = describeMachine();
  assert.ok(machine.cores >= 1 && machine.memoryGiB >= 1 && machine.cpuModel.length > 0);
});

test('the table names every server, metric and target', () => {
  const text = formatReport(report());
  for (const part of ['sluice', 'llama-server', 'TTFT p99', '(2.67×)', 'MISSED', 'met'])
    assert.ok(text.includes(part), part);
});

test('targets are bounds', () => {
  assert.deepEqual(report().figures.map(meetsTarget), [true, false]);
});

test('a chart holds a bar for each value and no markup from names', () => {
  const svg = barChart('t', [
    {
      title: 'a < b',
      groups: [
        {
          label: 'w',
          bars: [
            { series: '<s>', value: 1 },
            { series: 'r', value: 2 },
          ],
        },
      ],
    },
  ]);
  assert.equal(svg.match(/height="12"/g)?.length, 2);
  assert.ok(!svg.includes('<s>') && svg.includes('a &#60; b'));
  assert.deepEqual(
    chartPanels(report()).map((panel) => panel.groups.length),
    [1, 1, 1],
  );
});

test('decode steps are lines over the context, a panel for each number of sequences', () => {
  const step = (workload: string, paged: number, bound: number) => ({
    workload,
    metric: 'decode step',
    unit: 'ms',
    higherIsBetter: false,
    medians: { paged, bound },
    ratios: {},
  });
  const comparisons = [step('1 × 64', 8, 7), step('1 × 512', 9, 7), step('16 × 64', 30, 25)];
  const panels = stepPanels({ ...report(), comparisons });
  assert.deepEqual(
    panels.map(({ lines }) => lines.map(({ series, points }) => [series, points.map(({ x, y }) => [x, y])])),
    [
      [
        [
          'paged',
          [
            [64, 8],
            [512, 9],
          ],
        ],
        [
          'bound',
          [
            [64, 7],
            [512, 7],
          ],
        ],
      ],
      [
        ['paged', [[64, 30]]],
        ['bound', [[64, 25]]],
      ],
    ],
  );
  const svg = lineChart('t', 'tokens', panels);
  assert.equal(svg.match(/stroke-width="2"/g)?.length, 4);
  assert.doesNotMatch(svg, /NaN|Infinity/);
});
