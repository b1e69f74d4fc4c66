import { readFileSync } from 'node:fs';
import path from 'node:path';
import { isMap, isScalar, isSeq, LineCounter, type Node, type Pair, parseDocument, visit } from 'yaml';
import { ConfigError } from './config-error.js';
import type { Assignment } from './settings.js';

/** Settings of a YAML (or JSON) file, each with its line. Throws {@link ConfigError} where it can't be read or parsed. */
export function assignmentsOfFile(file: string): Assignment[] {
  return assignmentsOfYaml(readText(file), path.basename(file));
}

export function assignmentsOfYaml(text: string, name: string): Assignment[] {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const at = (offset: number) => `${name} line ${lines.linePos(offset).line}`;
  const fault = document.errors[0];
  if (fault) throw new ConfigError([`${at(fault.pos[0])}: ${fault.message}`]);
  // A few lines of aliases can expand to gigabytes.
  visit(document, {
    Alias: (_, alias) => {
      throw new ConfigError([`${at(alias.range?.[0] ?? 0)}: aliases aren't supported`]);
    },
  });
  if (document.contents === null) return [];
  if (!isMap(document.contents))
    throw new ConfigError([`${name}: must be a map of sections such as "server:"`]);

  const assignment = (keys: Pair[]): Assignment => {
    const path = keys.map(nameOf).join('.');
    const value = keys.at(-1)!.value as Node | null;
    const innerOrigins = new Map<string, string>();
    for (const [inner, offset] of placesIn(value, path)) innerOrigins.set(inner, at(offset));
    const origin = at((keys.at(-1)!.key as Node).range?.[0] ?? 0);
    return { path, value: value?.toJS(document) ?? null, origin, innerOrigins };
  };
  return document.contents.items.flatMap((section) =>
    isMap(section.value) && section.value.items.length > 0
      ? section.value.items.map((setting) => assignment([section, setting]))
      : [assignment([section])],
  );
}

function nameOf({ key }: Pair): string {
  return String(isScalar(key) ? key.value : key);
}

/** Paths of everything inside a list or map, and where each stands. */
function placesIn(node: unknown, path: string): [string, number][] {
  if (isMap(node)) {
    return node.items.flatMap((pair) => {
      const inner = `${path}.${nameOf(pair)}`;
      return [[inner, (pair.key as Node).range?.[0] ?? 0], ...placesIn(pair.value, inner)] as [
        string,
        number,
      ][];
    });
  }
  if (!isSeq(node)) return [];
  return node.items.flatMap((item, index) => {
    const inner = `${path}.${index}`;
    return [[inner, (item as Node).range?.[0] ?? 0], ...placesIn(item, inner)] as [string, number][];
  });
}

function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    throw new ConfigError([`${file}: ${code === 'ENOENT' ? 'no such file' : `can't be read (${code})`}`]);
  }
}
