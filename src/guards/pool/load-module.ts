import { pathToFileURL } from 'node:url';
import type { Detector } from '../detector.js';
import { findingsOf } from '../verdict.js';

/** A module exports check(texts, context), which returns a verdict or a promise of one. */
export async function loadModule(path: string): Promise<Detector> {
  const { check } = (await import(pathToFileURL(path).href)) as { check?: unknown };
  if (typeof check !== 'function') throw new TypeError(`${path} exports no function "check"`);
  return { find: async (texts, context) => findingsOf(await check(texts, context), texts) };
}
