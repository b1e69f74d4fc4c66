import type { Parameters } from '../suite/schema.js';
import type { Answer } from '../target/target.js';

/** Everything that is needed to do a run again. */
export interface RunHeader {
  id: string;
  suite: string;
  suiteHash: string; // of its cases, as they are asked
  suitePath: string;
  target: Target;
  judges: string[];
  judgeUrl: string | null; // null: where the target is
  seed: number;
  tags: string[]; // only cases that have one of them; empty: all
  repeats: number | null; // null: as each case says
  version: string; // of Sluice
  startedAtMs: number;
  trials: number;
}

export interface Target {
  model: string;
  url: string | null; // null: loaded by the run itself
  fingerprint: string; // tells it from others of that name
  revision: string | null; // what is known of its files: their hashes here, at a URL one of the models there
}

export interface NamedScore {
  name: string;
  value: number | null;
  detail: string | null;
}

export type TrialStatus = 'passed' | 'failed' | 'unscored' | 'error';

/** One case, asked once. */
export interface TrialResult {
  caseId: string;
  repeat: number; // from 0
  tags: string[];
  prompt: string;
  params: Parameters; // as it was asked, seed included
  expected: string[];
  answer: Answer | null; // null where the scorers need none, or it failed
  scores: NamedScore[];
  score: number | null; // weighted mean; null where one couldn't be told
  status: TrialStatus;
  error: { code: string; message: string } | null;
}

export interface Run {
  header: RunHeader;
  results: TrialResult[];
}
