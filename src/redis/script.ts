import { createHash } from 'node:crypto';
import type { Argument } from './client.js';

/** Lua that Redis runs as one step. */
export interface Script {
  source: string;
  digest: string; // SHA-1, Redis's name for it
}

export function script(source: string): Script {
  return { source, digest: createHash('sha1').update(source).digest('hex') };
}

export function scriptArguments(keys: readonly string[], args: readonly (Argument | number)[]): Argument[] {
  return [
    String(keys.length),
    ...keys,
    ...args.map((argument) => (typeof argument === 'number' ? String(argument) : argument)),
  ];
}
