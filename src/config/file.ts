import { readFileSync } from 'node:fs';
import path from 'node:path';
import { isMap, isScalar, LineCounter, type Node, parseDocument } from 'yaml';
import { ConfigError } from './config-error.js';
import type { Assignment } from './settings.js';

/** Settings of a YAML (or JSON) file, each with its line. Throws {@link ConfigError} where it can't be read or parsed. */
export function assignmentsOfFile(file: string): Assignment[] {
  return assignmentsOfYaml(readText(file), path.basename(file));
}

export function assignmentsOfYaml(text: string, name: string): Assignment[] {
  const lines = new LineCounter();
  // Aliases are refused: a few lines of them can expand to gigabytes.
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, uniqueKeys: true });
  const lineOf = (node: Node | null) => `${name} line ${lines.linePos(node?.range?.[0] ?? 0).line}`;
  const fault = document.errors[0];
  if (fault) {
    throw new ConfigError([`${name} line ${lines.linePos(fault.pos[0]).line}: ${fault.message}`]);
  }
  if (document.contents === null) return [];
  if (!isMap(document.contents))
    throw new ConfigError([`${name}: must be a map of sections such as "server:"`]);

  const found: Assignment[] = [];
  const walk = (node: unknown, keys: string[], depth: number): void => {
    if (isMap(node) && depth < 2) {
      for (const pair of node.items) {
        const key = pair.key as Node;
        const label = isScalar(key) ? String(key.value) : String(key);
        if (isMap(pair.value) && depth < 1) walk(pair.value, [...keys, label], depth + 1);
        else found.push({ path: [...keys, label].join('.'), value: plain(pair.value), origin: lineOf(key) });
      }
    }
  };
  const plain = (value: unknown): unknown =>
    (value as Node | null)?.toJS(document, { maxAliasCount: 0 }) ?? null;
  walk(document.contents, [], 0);
  return found;
}

function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    throw new ConfigError([`${file}: ${code === 'ENOENT' ? 'no such file' : `can't be read (${code})`}`]);
  }
}
