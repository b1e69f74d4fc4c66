/**
 * Makes every fault happen many times to real processes, and counts what clients notice.
 * Usage: npm run test:faults -- [--repeat 100] [--seed 1] [--case SUBSTRING] [--clients 8] [--jobs 5] [--minutes 1440] [--write]
 * No case begins another repeat after so many minutes. `--write` puts the rows into docs/operations.md and the figures into
 * bench/results. Each fault runs in a network namespace of its own, which takes root or unprivileged user namespaces.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { completeReport, writeReport } from '../../bench/report/write.js';
import { projectRoot } from '../../src/support/root.js';
import { faults } from './faults.js';
import { figuresOf } from './figures.js';
import { type Row, tableOf, withRows } from './table.js';
import { isClean } from './tally.js';

const { values: options } = parseArgs({
  options: {
    repeat: { type: 'string', default: '100' },
    seed: { type: 'string', default: '1' },
    case: { type: 'string', default: '' },
    clients: { type: 'string', default: '8' },
    jobs: { type: 'string', default: '5' },
    minutes: { type: 'string', default: '1440' },
    write: { type: 'boolean', default: false },
  },
});
process.setMaxListeners(0);
for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => process.exit(1));
const startedAt = new Date();
const names = faults.map(({ name }) => name);
const asked = names.filter((name) => name.includes(options.case));
const rows = new Map<string, Row>();
const waiting = [...asked];
await Promise.all(Array.from({ length: Number(options.jobs) }, runNext));

const done = asked.flatMap((name) => rows.get(name) ?? []);
console.log(tableOf(done));
if (options.write) await writeFigures(done);
if (done.length === 0 || done.length < asked.length || !done.every(isWhole)) process.exitCode = 1;

async function runNext(): Promise<void> {
  for (let name = waiting.shift(); name !== undefined; name = waiting.shift()) {
    const row = await runCase(name);
    console.error(`${name}: ${row ? (isWhole(row) ? 'clean' : JSON.stringify(row)) : 'broke off'}`);
    if (row) rows.set(name, row);
    if (row && options.write) intoDocument([row]);
  }
}

/** Null where it couldn't be run to its end. */
async function runCase(name: string): Promise<Row | null> {
  const entry = fileURLToPath(new URL('./run-case.js', import.meta.url));
  const command = [
    process.execPath,
    entry,
    name,
    options.repeat,
    options.seed,
    options.clients,
    options.minutes,
  ];
  // Whatever it starts is in its process namespace, and ends with it.
  const alone = ['--map-root-user', '--net', '--pid', '--fork', '--kill-child', '--'];
  const inside = ['sh', '-c', 'ip link set lo up && exec "$@"', 'sh', ...command];
  const child = spawn('unshare', [...alone, ...inside], { stdio: ['ignore', 'pipe', 'inherit'] });
  process.once('exit', () => child.kill('SIGKILL'));
  const [said, [status]] = await Promise.all([text(child.stdout), once(child, 'exit')]);
  return status === 0 ? (JSON.parse(said) as Row) : null;
}

function isWhole({ name: _, times: __, ...tally }: Row): boolean {
  return isClean(tally);
}

/** At once: an hour's work shouldn't hang on the last case. */
function intoDocument(done: readonly Row[]): void {
  const document = join(projectRoot(), 'docs', 'operations.md');
  writeFileSync(document, withRows(readFileSync(document, 'utf8'), done, names));
}

async function writeFigures(done: readonly Row[]): Promise<void> {
  const { repeat, seed, clients } = options;
  const measured = {
    scenario: 'faults',
    options: { repeat: Number(repeat), seed: Number(seed), clients: Number(clients) },
    runs: [],
    comparisons: [],
    figures: done.flatMap(figuresOf),
  };
  for (const file of await writeReport(completeReport(measured, startedAt), null))
    console.log(`wrote ${file}`);
}
