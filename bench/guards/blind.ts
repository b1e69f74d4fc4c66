import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { projectRoot } from '../../src/support/root.js';
import type { Item } from './split.js';

/** Texts that nobody who works on the guards has read (test/guards-blind/README.md): only totals of them are shown. */
export function readBlindSet(): { attacks: Item[]; benign: Item[] } {
  return { attacks: read('attacks'), benign: read('benign') };
}

function read(name: string): Item[] {
  const file = join(projectRoot(), 'test', 'guards-blind', `${name}.jsonl`);
  return readFileSync(file, 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => {
      const { id, text, language, ...kind } = JSON.parse(line) as Record<string, string>;
      return {
        text: text!,
        group: kind.family ?? kind.kind ?? kind.category ?? name,
        language: language!,
        split: 'test',
        seed: id!,
      };
    });
}
