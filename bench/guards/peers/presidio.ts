import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { json } from 'node:stream/consumers';
import { projectRoot } from '../../../src/support/root.js';
import { installPython } from '../../python.js';
import type { PiiItem, PiiSpan } from '../pii-set.js';
import { f1, scorePii } from '../score-pii.js';

export const PRESIDIO_VERSION = '2.2.366';

export interface PresidioResult {
  micros: number;
  found: (PiiSpan & { score: number })[];
}

/** Its pattern recognisers over the texts, in a process of their own; installed from PyPI into the cache folder where missing. */
export async function runPresidio(texts: readonly string[]): Promise<PresidioResult[]> {
  const packages = [`presidio-analyzer==${PRESIDIO_VERSION}`];
  const programs = await installPython(`presidio-${PRESIDIO_VERSION}`, packages);
  const script = join(projectRoot(), 'bench', 'guards', 'peers', 'presidio.py');
  const child = spawn(join(programs, 'python'), [script], { stdio: ['pipe', 'pipe', 'inherit'] });
  child.stdin.end(JSON.stringify(texts));
  return (await json(child.stdout)) as PresidioResult[];
}

/**
 * Each type at the score from which on it does best on these very texts: in its favour, since without a language model
 * it can't raise scores by context. Offsets come as code points and are turned into UTF-16 units.
 */
export function atBestScores(items: readonly PiiItem[], results: readonly PresidioResult[]): PiiSpan[][] {
  const found = results.map(({ found: spans }, index) =>
    spans.map((span) => ({ ...span, ...inUnits(items[index]!.text, span) })),
  );
  const types = [...new Set(found.flat().map(({ type }) => type))];
  const least = new Map(types.map((type) => [type, bestScore(items, found, type)]));
  return found.map((spans) => withoutOverlaps(spans.filter(({ type, score }) => score >= least.get(type)!)));
}

function bestScore(
  items: readonly PiiItem[],
  found: readonly PresidioResult['found'][],
  type: string,
): number {
  const scores = [...new Set(found.flat().flatMap((span) => (span.type === type ? [span.score] : [])))];
  const quality = (least: number) => {
    const spans = found.map((all) =>
      withoutOverlaps(all.filter((span) => span.type === type && span.score >= least)),
    );
    const score = scorePii(items, (_, index) => spans[index]!).get(type);
    return score === undefined ? 0 : f1(score);
  };
  return scores.reduce((best, score) => (quality(score) > quality(best) ? score : best), scores[0]!);
}

function withoutOverlaps(spans: PresidioResult['found']): PresidioResult['found'] {
  const kept: PresidioResult['found'] = [];
  for (const span of [...spans].sort((a, b) => b.score - a.score || b.end - b.start - (a.end - a.start)))
    if (!kept.some((other) => other.start < span.end && span.start < other.end)) kept.push(span);
  return kept;
}

function inUnits(text: string, { start, end }: PiiSpan): { start: number; end: number } {
  const characters = [...text];
  const before = characters.slice(0, start).join('').length;
  return { start: before, end: before + characters.slice(start, end).join('').length };
}
