import { z } from 'zod';
import { configSchema } from './schema.js';

export type SettingKind = 'number' | 'boolean' | 'string' | 'array' | 'json';

/** One leaf of the configuration. */
export interface Setting {
  path: string; // "http.maxBodyBytes"
  variable: string; // "SLUICE_HTTP_MAX_BODY_BYTES"
  kind: SettingKind;
  description: string;
  default: unknown;
  choices: readonly string[] | null; // null: anything of its kind
}

/** A value for a setting, and where it was written, for messages. */
export interface Assignment {
  path: string;
  value: unknown;
  origin: string;
  /** Origins of what is inside the value, by path. */
  innerOrigins?: ReadonlyMap<string, string>;
}

export const settings: readonly Setting[] = Object.entries(configSchema.shape).flatMap(([section, wrapped]) =>
  Object.entries(wrapped.unwrap().shape as Record<string, z.ZodDefault>).map(([name, leaf]) => ({
    path: `${section}.${name}`,
    variable: `SLUICE_${screamingSnake(section)}_${screamingSnake(name)}`,
    kind: kindOf(leaf.unwrap() as z.ZodType),
    description: leaf.description ?? '',
    default: leaf.def.defaultValue,
    choices: choicesOf(leaf.unwrap() as z.ZodType),
  })),
);

export const settingByPath: ReadonlyMap<string, Setting> = new Map(
  settings.map((setting) => [setting.path, setting]),
);

/** Text from the environment or the command line, as the setting's kind; text that isn't one stays, for zod to refuse. */
export function fromText(setting: Setting, text: string): unknown {
  switch (setting.kind) {
    case 'number':
      return text.trim() !== '' && Number.isFinite(Number(text)) ? Number(text) : text;
    case 'boolean':
      return (
        { true: true, '1': true, yes: true, false: false, '0': false, no: false }[text.toLowerCase()] ?? text
      );
    case 'array':
      if (text.trimStart().startsWith('[')) return jsonOrText(text);
      return text === '' ? [] : text.split(',').map((item) => numberOrText(item.trim()));
    case 'json':
      return jsonOrText(text);
    case 'string':
      return text;
  }
}

function jsonOrText(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

function numberOrText(text: string): number | string {
  return /^-?\d+(\.\d+)?$/.test(text) ? Number(text) : text;
}

function kindOf(type: z.ZodType): SettingKind {
  switch (type.def.type) {
    case 'pipe': // bytes(): a number, or text with a unit
    case 'number':
      return 'number';
    case 'boolean':
      return 'boolean';
    case 'array':
      return 'array';
    case 'object':
    case 'record':
      return 'json';
    default:
      return 'string';
  }
}

function choicesOf(type: z.ZodType): readonly string[] | null {
  return type instanceof z.ZodEnum ? (type.options as string[]) : null;
}

function screamingSnake(name: string): string {
  return name.replace(/[A-Z]+/g, (letters) => `_${letters}`).toUpperCase();
}
