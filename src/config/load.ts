import type { z } from 'zod';
import { plainly } from '../support/wording.js';
import { ConfigError } from './config-error.js';
import { assignmentsOfFile } from './file.js';
import { type Config, configSchema } from './schema.js';
import { type Assignment, fromText, settingByPath, settings } from './settings.js';

export interface ConfigSources {
  file?: string | undefined;
  environment?: Readonly<Record<string, string | undefined>>;
  flags?: readonly Assignment[];
}

/** Defaults, then the file, then the environment, then flags: the later wins. Throws {@link ConfigError}. */
export function loadConfig(sources: ConfigSources): Config {
  return resolveConfig([
    ...(sources.file === undefined ? [] : assignmentsOfFile(sources.file)),
    ...assignmentsOfEnvironment(sources.environment ?? {}),
    ...(sources.flags ?? []),
  ]);
}

export function resolveConfig(assignments: readonly Assignment[]): Config {
  const tree: Record<string, unknown> = {};
  const origins = new Map<string, string>();
  for (const { path, value, origin, innerOrigins } of assignments) {
    if (value === null && !path.includes('.') && path in configSchema.shape) continue; // an empty section
    place(tree, path.split('.'), value);
    for (const inner of origins.keys()) if (inner.startsWith(`${path}.`)) origins.delete(inner);
    origins.set(path, origin);
    for (const [inner, innerOrigin] of innerOrigins ?? []) origins.set(inner, innerOrigin);
  }
  const parsed = configSchema.safeParse(tree, plainly);
  if (parsed.success) {
    originsOfConfigs.set(parsed.data, origins);
    return parsed.data;
  }
  throw new ConfigError(parsed.error.issues.flatMap((issue) => faultsOf(issue, origins)));
}

const originsOfConfigs = new WeakMap<Config, ReadonlyMap<string, string>>();

/** A fault that shows only later, named like those that loading finds. */
export function faultAt(config: Config, path: string, message: string): string {
  return `${originOf(path, originsOfConfigs.get(config) ?? new Map())}${path}: ${message}`;
}

/** Variables that begin like a section's but name no setting are refused: a typing error shouldn't pass silently. */
export function assignmentsOfEnvironment(
  environment: Readonly<Record<string, string | undefined>>,
): Assignment[] {
  const byVariable = new Map(settings.map((setting) => [setting.variable, setting]));
  const sections = Object.keys(configSchema.shape).map((section) => `SLUICE_${section.toUpperCase()}_`);
  return Object.entries(environment).flatMap(([name, text]) => {
    if (text === undefined) return [];
    const setting = byVariable.get(name);
    if (setting) return [{ path: setting.path, value: fromText(setting, text), origin: name }];
    if (!sections.some((prefix) => name.startsWith(prefix))) return [];
    throw new ConfigError([`${name}: no such setting${suggestion(name, [...byVariable.keys()])}`]);
  });
}

/** Without keys anyone who reaches an address other than loopback could use the model, so that must be asked for. */
export function refuseOpenServer({ server }: Config, hasKeys: boolean): void {
  if (hasKeys || server.insecureNoAuth || isLoopback(server.host)) return;
  throw new ConfigError([
    `server.host: ${server.host} is reachable from other machines and there are no keys. ` +
      'Make one with "sluice keys create", listen on 127.0.0.1, or give --insecure-no-auth if everyone who can ' +
      'reach it may use it.',
  ]);
}

export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127(\.\d{1,3}){3}$/.test(host);
}

/** A value where a section should be is overwritten by a later source's section, or refused by the schema. */
function place(tree: Record<string, unknown>, keys: string[], value: unknown): void {
  const last = keys.at(-1)!;
  let node = tree;
  for (const key of keys.slice(0, -1)) {
    const child = node[key];
    const next = (typeof child === 'object' && child !== null ? child : {}) as Record<string, unknown>;
    node[key] = next;
    node = next;
  }
  node[last] = value;
}

function faultsOf(issue: z.core.$ZodIssue, origins: ReadonlyMap<string, string>): string[] {
  const path = issue.path.join('.');
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => {
      const full = path === '' ? key : `${path}.${key}`;
      const known = keysAt(configSchema, issue.path).map((name) => (path === '' ? name : `${path}.${name}`));
      return `${originOf(full, origins)}${full}: no such setting${suggestion(full, known)}`;
    });
  }
  const setting = settingByPath.get(path);
  const hint = setting ? ` (${setting.description}; default ${JSON.stringify(setting.default)})` : '';
  return [`${originOf(path, origins)}${path}: ${issue.message}${hint}`];
}

/** Where a path was written, or else what is inside it, or else the nearest thing around it or beside it. */
function originOf(path: string, origins: ReadonlyMap<string, string>): string {
  for (let around = path; around !== ''; around = around.slice(0, Math.max(0, around.lastIndexOf('.')))) {
    const inside = [...origins].find(([written]) => written.startsWith(`${around}.`));
    const origin = origins.get(around) ?? inside?.[1];
    if (origin !== undefined) return `${origin}: `;
  }
  return '';
}

/** Names that an object of the schema has at a path. */
function keysAt(schema: z.core.$ZodType, path: readonly PropertyKey[]): string[] {
  const { def } = (schema as z.core.$ZodTypes)._zod;
  if ('innerType' in def) return keysAt(def.innerType, path);
  if (def.type === 'union') return def.options.flatMap((option) => keysAt(option, path));
  if (def.type === 'array') return keysAt(def.element, path.slice(1));
  if (def.type !== 'object') return [];
  const child = path.length > 0 ? def.shape[String(path[0])] : undefined;
  return path.length === 0 ? Object.keys(def.shape) : child ? keysAt(child, path.slice(1)) : [];
}

/** The nearest known name, where it is near enough to be meant. O(known × length²), at start only. */
function suggestion(name: string, known: readonly string[]): string {
  const ranked = known.map((candidate) => ({ candidate, distance: editDistance(name, candidate) }));
  ranked.sort((a, b) => a.distance - b.distance);
  const best = ranked[0];
  const near = Math.max(Math.min(2, name.length / 2), name.length / 4);
  return best && best.distance <= near ? `; did you mean ${best.candidate}?` : '';
}

/** Levenshtein distance, one row at a time. */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (let i = 1; i <= a.length; i += 1) {
    const next = [i];
    for (let j = 1; j <= b.length; j += 1) {
      const substitution = row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(substitution, row[j]! + 1, next[j - 1]! + 1));
    }
    row = next;
  }
  return row[b.length]!;
}
