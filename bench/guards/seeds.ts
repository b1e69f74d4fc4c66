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
}

/** Lines of a seed file, under headings "# group language"; `\n` in a line is a line break. */
export function readSeeds(...files: string[]): Seed[] {
  const seeds: Seed[] = [];
  for (const file of files) {
    let group = '';
    let language = '';
    for (const line of readLines(file)) {
      if (line.startsWith('# ')) [group = '', language = ''] = line.slice(2).split(' ');
      else seeds.push({ text: line.replaceAll('\\n', '\n'), group, language, index: seeds.length });
    }
  }
  return seeds;
}

export function readTopics(): string[] {
  return readLines('topics.txt').flatMap((line) => line.split('|'));
}

function readLines(file: string): string[] {
  // Compiled or not, the text files lie in the source tree.
  const text = readFileSync(join(projectRoot(), 'bench', 'guards', 'seeds', file), 'utf8');
  return text.split('\n').filter((line) => line !== '');
}

export function fill(text: string, random: Random, topics: readonly string[] = []): string {
  return text
    .replace(/\{([^{}"]*\|[^{}"]*)\}/g, (_, options: string) => pick(options.split('|'), random))
    .replace(/\bTOPIC\b/g, () => pick(topics, random));
}

export function pick<T>(items: readonly T[], random: Random): T {
  return items[Math.floor(random() * items.length)]!;
}
