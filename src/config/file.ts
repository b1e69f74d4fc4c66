import { readFileSync } from 'node:fs';
import path from 'node:path';
import { isMap, isScalar, LineCounter, type Node, type Pair, parseDocument, visit } from 'yaml';
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

  const assignment = (keys: Pair[]): Assignment => ({
    path: keys.map(({ key }) => String(isScalar(key) ? key.value : key)).join('.'),
    value: (keys.at(-1)!.value as Node | null)?.toJS(document) ?? null,
    origin: at((keys.at(-1)!.key as Node).range?.[0] ?? 0),
  });
  return document.contents.items.flatMap((section) =>
    isMap(section.value) && section.value.items.length > 0
      ? section.value.items.map((setting) => assignment([section, setting]))
      : [assignment([section])],
  );
}

function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    throw new ConfigError([`${file}: ${code === 'ENOENT' ? 'no such file' : `can't be read (${code})`}`]);
  }
}
