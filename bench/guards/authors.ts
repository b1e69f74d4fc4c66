import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { projectRoot } from '../../src/support/root.js';

/** A text that was written once, by someone who knew nothing of the guards. */
export interface AuthorText {
  text: string;
  isAttack: boolean;
  group: string; // family of attacks, or kind of harmless text
  language: string;
  author: number; // index: validation leaves out one after the other
}

const folder = join(projectRoot(), 'bench', 'guards', 'seeds', 'authors');

/** A folder an author, with a text a line. */
export function authorTexts(): AuthorText[] {
  return readdirSync(folder)
    .sort()
    .flatMap((name, author) => [...read(name, author, 'attacks'), ...read(name, author, 'benign')]);
}

function read(name: string, author: number, kind: 'attacks' | 'benign'): AuthorText[] {
  const lines = readFileSync(join(folder, name, `${kind}.jsonl`), 'utf8')
    .trimEnd()
    .split('\n');
  return lines.map((line) => {
    const { text, group, language } = JSON.parse(line) as { text: string; group: string; language: string };
    return { text, isAttack: kind === 'attacks', group, language, author };
  });
}
