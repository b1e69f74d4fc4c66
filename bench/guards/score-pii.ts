import { resolveOverlaps } from '../../src/guards/detect/overlaps.js';
import { piiRecognisers, secretRecognisers } from '../../src/guards/detect/pii/index.js';
import { nationalIdRules } from '../../src/guards/detect/pii/national-id-rules.js';
import { piiPriority } from '../../src/guards/detect/pii/priority.js';
import type { PiiItem, PiiSpan } from './pii-set.js';

export interface TypeScore {
  found: number; // of what is there
  missed: number;
  wrong: number; // found, though it isn't there
}

/** Overlap of two spans by the union of both, from which on they count as the same. */
const MIN_OVERLAP = 0.75;
const nationalIds = new Set(
  nationalIdRules.map(({ category }) => category).filter((category) => category !== 'us_ssn'),
);
const secretTypes: Record<string, string> = { cloud_token: 'api_key', jwt: 'api_key' };
const recognisers = [...piiRecognisers(), ...secretRecognisers];

export function findPii(text: string): PiiSpan[] {
  const findings = recognisers.flatMap((recogniser) => recogniser.find(text));
  return resolveOverlaps(findings, piiPriority).map(({ start, end, category }) => ({
    start,
    end,
    type: nationalIds.has(category) ? 'national_id' : (secretTypes[category] ?? category),
  }));
}

export function scorePii(
  items: readonly PiiItem[],
  find: (text: string, index: number) => readonly PiiSpan[],
): Map<string, TypeScore> {
  const scores = new Map<string, TypeScore>();
  const scoreOf = (type: string) => {
    const score = scores.get(type) ?? { found: 0, missed: 0, wrong: 0 };
    scores.set(type, score);
    return score;
  };
  for (const [index, { text, spans }] of items.entries()) {
    const found = [...find(text, index)];
    for (const span of spans) {
      const at = found.findIndex((other) => other.type === span.type && overlap(span, other) >= MIN_OVERLAP);
      if (at === -1) scoreOf(span.type).missed += 1;
      else {
        scoreOf(span.type).found += 1;
        found.splice(at, 1);
      }
    }
    for (const { type } of found) scoreOf(type).wrong += 1;
  }
  return scores;
}

export function sum(scores: Iterable<TypeScore>): TypeScore {
  const total = { found: 0, missed: 0, wrong: 0 };
  for (const { found, missed, wrong } of scores) {
    total.found += found;
    total.missed += missed;
    total.wrong += wrong;
  }
  return total;
}

export function f1({ found, missed, wrong }: TypeScore): number {
  return found === 0 ? 0 : (2 * found) / (2 * found + missed + wrong);
}

function overlap(a: PiiSpan, b: PiiSpan): number {
  const shared = Math.min(a.end, b.end) - Math.max(a.start, b.start);
  const union = Math.max(a.end, b.end) - Math.min(a.start, b.start);
  return shared <= 0 ? 0 : shared / union;
}
