import type { Tally } from './tally.js';

/** What came of a fault over all its repeats. */
export interface Row extends Tally {
  name: string;
  times: number;
}

const BEGIN = '<!-- fault matrix -->';
const END = '<!-- end of fault matrix -->';

const COLUMNS: readonly [title: string, name: keyof Row][] = [
  ['fault', 'name'],
  ['times', 'times'],
  ['requests', 'requests'],
  ['asked again', 'askedAgain'],
  ['lost', 'lost'],
  ['answered twice', 'answeredTwice'],
  ['gaps or repeats', 'gapsOrRepeats'],
  ['budget error', 'budgetError'],
  ['left in Redis', 'leftInRedis'],
];

const lineOf = (cells: readonly (string | number)[]) => `| ${cells.join(' | ')} |`;

export function tableOf(rows: readonly Row[]): string {
  const alignments = COLUMNS.map((_, index) => (index === 0 ? '---' : '---:'));
  return [
    lineOf(COLUMNS.map(([title]) => title)),
    `|${alignments.join('|')}|`,
    ...rows.map((row) => lineOf(COLUMNS.map(([, name]) => row[name]))),
  ].join('\n');
}

/** The document with these rows in its table; those of other faults stay. `order`: names of all faults. */
export function withRows(document: string, rows: readonly Row[], order: readonly string[]): string {
  const [before, rest] = document.split(BEGIN);
  const [old, after] = rest?.split(END) ?? [];
  if (old === undefined || after === undefined) throw new Error(`The document has no ${BEGIN} … ${END}.`);
  const known = new Map([...rowsIn(old), ...rows].map((row) => [row.name, row]));
  const ordered = order.flatMap((name) => known.get(name) ?? []);
  return `${before}${BEGIN}\n\n${tableOf(ordered)}\n\n${END}${after}`;
}

function rowsIn(table: string): Row[] {
  const lines = table.split('\n').filter((line) => line.startsWith('| '));
  return lines.slice(1).map((line) => {
    const cells = line.split('|').slice(1, -1);
    return Object.fromEntries(
      COLUMNS.map(([, name], index) => [name, name === 'name' ? cells[index]!.trim() : Number(cells[index])]),
    ) as unknown as Row;
  });
}
