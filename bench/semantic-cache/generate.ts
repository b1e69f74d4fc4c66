import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { projectRoot } from '../../src/support/root.js';
import { type Random, seededRandom } from '../workload/random.js';
import { type Frame, frames } from './frames.js';
import { type NearKind, nearKinds, type Pair } from './pair.js';

/**
 * Makes the two halves of the labelled set out of written questions and frames: `node dist/bench/semantic-cache/generate.js`. All
 * pairs of one question, or of one frame, are in the same half, so that what is tuned on one says something about the other.
 */

export const halves = ['tune', 'test'] as const;
export type Half = (typeof halves)[number];

const fillingsPerFrame = 11;
const folder = join(projectRoot(), 'bench', 'semantic-cache');

export function makeSet(): Record<Half, Pair[]> {
  const set: Record<Half, Pair[]> = { tune: [], test: [] };
  const groups = [
    ...readWritten(readFileSync(join(folder, 'questions.txt'), 'utf8')),
    ...frames.map((frame, index) => fillings(frame, index)),
  ];
  for (const pairs of groups) set[halfOf(pairs[0]!.first)].push(...pairs);
  return set;
}

export function fileOf(half: Half): string {
  return join(folder, `${half}.jsonl`);
}

export function readHalf(half: Half): Pair[] {
  const lines = readFileSync(fileOf(half), 'utf8').trimEnd().split('\n');
  return lines.map((line) => JSON.parse(line) as Pair);
}

export function encode(pairs: readonly Pair[]): string {
  return pairs.map((pair) => `${JSON.stringify(pair)}\n`).join('');
}

/** Lines of "question | paraphrase | kind: near-duplicate …". */
function readWritten(text: string): Pair[][] {
  return text
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => {
      const [question = '', paraphrase = '', ...near] = line.split('|').map((part) => part.trim());
      return pairsOf(
        [question, paraphrase],
        near.map((each) => parseNear(each)),
        'written',
      );
    });
}

function parseNear(text: string): [NearKind, string] {
  const [, kind, question] = /^(\w+): (.+)$/.exec(text) ?? [];
  if (!nearKinds.includes(kind as NearKind)) throw new Error(`no kind of near-duplicate: ${text}`);
  return [kind as NearKind, question!];
}

function fillings(frame: Frame, index: number): Pair[] {
  const random = seededRandom(index + 1);
  const pairs = Array.from({ length: fillingsPerFrame }, () => {
    const values = draw(frame.slots, random);
    const [first, second] = frame.same;
    return pairsOf(
      [fill(first, values), fill(second, values)],
      frame.near.map(([kind, text]) => [kind, fill(text, values)]),
      'framed',
    );
  }).flat();
  return [...new Map(pairs.map((pair) => [[pair.first, pair.second].sort().join('|'), pair])).values()];
}

/** Values of all slots, and others (`name*`); no two alike. */
function draw(slots: Frame['slots'], random: Random): Record<string, string> {
  const values: Record<string, string> = {};
  for (const [name, pool] of Object.entries(slots)) {
    for (const key of [name, `${name}*`]) {
      const free = pool.filter((value) => !Object.values(values).includes(value));
      values[key] = free[Math.floor(random() * free.length)]!;
    }
  }
  return values;
}

function fill(text: string, values: Record<string, string>): string {
  return text.replace(/\{(\w+\*?)\}/g, (_, name: string) => values[name]!);
}

/** A near-duplicate is one of both wordings. */
function pairsOf(
  [first, second]: readonly [string, string],
  near: readonly [NearKind, string][],
  source: Pair['source'],
): Pair[] {
  return [
    { first, second, kind: 'same', source },
    ...near.flatMap(([kind, other]): Pair[] => [
      { first, second: other, kind, source },
      { first: second, second: other, kind, source },
    ]),
  ];
}

function halfOf(question: string): Half {
  return halves[createHash('sha256').update(question).digest()[0]! & 1]!;
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  for (const [half, pairs] of Object.entries(makeSet())) writeFileSync(fileOf(half as Half), encode(pairs));
}
