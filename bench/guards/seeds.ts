import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { projectRoot } from '../../src/support/root.js';
import type { Random } from '../workload/random.js';

/** A line written by hand; `{a|b}` stands for one of several. */
export interface Seed {
  text: string;
  group: string; // family of attacks, or kind of benign text
  language: string;
  /** Index among all seeds of its file: what a split goes by, so that variants stay together. */
  index: number;
  /** Templates with many alternatives are too alike to test with. */
  isForTraining: boolean;
  file: string;
}

/** Lines of a seed file, under headings "# group language"; `\n` in a line is a line break. */
export function readSeeds(...files: string[]): Seed[] {
  const seeds: Seed[] = [];
  for (const file of files) {
    let group = '';
    let language = '';
    for (const line of readLines(file)) {
      if (line.startsWith('# ')) [group = '', language = ''] = line.slice(2).split(' ');
      else
        seeds.push({
          text: line.replaceAll('\\n', '\n'),
          group,
          language,
          index: seeds.length,
          file,
          isForTraining: file.includes('training'),
        });
    }
  }
  return seeds;
}

export function readLines(file: string): string[] {
  // Compiled or not, the text files lie in the source tree.
  const text = readFileSync(join(projectRoot(), 'bench', 'guards', 'seeds', file), 'utf8');
  return text.split('\n').filter((line) => line !== '');
}

/** Words in capitals that a seed may hold stand for one of a list. */
export type Lists = Readonly<Record<string, readonly string[]>>;

export function readLists(): Lists {
  return Object.fromEntries(
    readLines('lists.txt').map((line) => {
      const [name, options] = line.split(': ', 2);
      return [name!, options!.split('|')];
    }),
  );
}

export function fill(text: string, random: Random, lists: Lists): string {
  let filled = text;
  for (const [name, options] of Object.entries(lists))
    filled = filled.replaceAll(new RegExp(`(?<![A-Z])${name}(?![A-Z])`, 'g'), () => pick(options, random));
  const choice = /\{([^{}|]*\|[^{}]*)\}/g; // the innermost first
  while (choice.test(filled))
    filled = filled.replace(choice, (_, options: string) => pick(options.split('|'), random));
  return filled;
}

export function pick<T>(items: readonly T[], random: Random): T {
  return items[Math.floor(random() * items.length)]!;
}
