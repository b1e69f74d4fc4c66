import { writeFile } from 'node:fs/promises';
import type { Run } from '../run/types.js';
import { type Baseline, htmlReport } from './html.js';
import { junitReport } from './junit.js';
import { summarise } from './summary.js';

/** Where to write a run's reports; what is absent isn't written. */
export interface ReportFiles {
  json?: string;
  junit?: string;
  html?: string;
}

/** Returns the files written. */
export async function writeReports(
  run: Run,
  baseline: Baseline | null,
  files: ReportFiles,
): Promise<string[]> {
  const { json, junit, html } = files;
  const comparison = baseline ? { comparison: baseline.comparison } : {};
  const texts: [string | undefined, () => string][] = [
    [json, () => `${JSON.stringify({ ...run, summary: summarise(run.results), ...comparison }, null, 2)}\n`],
    [junit, () => junitReport(run)],
    [html, () => htmlReport(run, baseline)],
  ];
  const written: string[] = [];
  for (const [file, render] of texts) {
    if (file === undefined) continue;
    await writeFile(file, render());
    written.push(file);
  }
  return written;
}
