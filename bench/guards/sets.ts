import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { projectRoot } from '../../src/support/root.js';

const folder = join(projectRoot(), 'bench', 'guards', 'sets');

export type SetName = 'attacks' | 'benign' | 'pii' | 'moderation';

/** One JSON object a line. */
export function readSet<T>(name: SetName): T[] {
  const lines = readFileSync(join(folder, `${name}.jsonl`), 'utf8')
    .trimEnd()
    .split('\n');
  return lines.map((line) => JSON.parse(line) as T);
}

export function writeSet(name: SetName, items: readonly object[]): void {
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, `${name}.jsonl`), items.map((item) => `${JSON.stringify(item)}\n`).join(''));
}
