import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { SluiceError } from '../../errors.js';
import { createScorer } from '../score/create.js';
import type { Scorer } from '../score/scorer.js';
import type { EvalCase, Suite } from '../suite/suite.js';
import type { Trial } from './trial.js';

export interface PlanOptions {
  seed: number;
  tags: readonly string[]; // only cases that have one of them; empty: all
  repeats: number | null; // null: as each case says
}

/** Every trial of a suite, and a hash that changes with anything that is asked or scored. Throws what is wrong with a scorer. */
export async function planTrials(
  suite: Suite,
  options: PlanOptions,
): Promise<{ trials: Trial[]; hash: string }> {
  const { seed, tags, repeats } = options;
  const cases = suite.cases.filter(
    (each) => tags.length === 0 || each.tags.some((tag) => tags.includes(tag)),
  );
  if (cases.length === 0) throw new SluiceError('invalid_value', `No case has the tag ${tags.join(' or ')}.`);
  const made = new Map<string, Promise<Scorer>>(); // cases share most of theirs
  const trials: Trial[] = [];
  for (const subject of cases) {
    const scorers = await Promise.all(
      subject.scorers.map(async (spec) => {
        const key = JSON.stringify(spec);
        if (!made.has(key)) made.set(key, createScorer(spec, suite.directory));
        return { spec, score: await made.get(key)! };
      }),
    ).catch((error: Error) => {
      throw new SluiceError('invalid_value', `Case ${JSON.stringify(subject.id)}: ${error.message}`);
    });
    for (let repeat = 0; repeat < (repeats ?? subject.repeats); repeat += 1)
      trials.push({ subject, scorers, repeat, seed });
  }
  const hash = createHash('sha256').update(JSON.stringify([cases, seed, repeats]));
  for (const path of modulesOf(suite.directory, cases)) hash.update(await readFile(path));
  return { trials, hash: hash.digest('hex') };
}

/** Files of the suite's own scorers. What they import isn't followed. */
function modulesOf(directory: string, cases: readonly EvalCase[]): string[] {
  const modules = cases.flatMap(({ scorers }) =>
    scorers.flatMap((spec) => (spec.type === 'custom' ? resolve(directory, spec.module) : [])),
  );
  return [...new Set(modules)].sort();
}
