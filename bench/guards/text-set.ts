import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { projectRoot } from '../../src/support/root.js';
import type { Item } from './split.js';

/** Labelled texts in a folder under test/. Of a blind set, which nobody who works on the guards has read, only totals are shown. */
export function readTextSet(set: string): { attacks: Item[]; benign: Item[] } {
  return { attacks: read(set, 'attacks'), benign: read(set, 'benign') };
}

function read(set: string, name: string): Item[] {
  const file = join(projectRoot(), 'test', set, `${name}.jsonl`);
  return readFileSync(file, 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => {
      const { id, text, language, ...kind } = JSON.parse(line) as Record<string, string>;
      return {
        text: text!,
        group: kind.family ?? kind.kind ?? kind.group ?? kind.category ?? name,
        language: language!,
        split: 'test',
        seed: id ?? '',
      };
    });
}
