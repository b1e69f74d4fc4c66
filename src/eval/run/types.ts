import type { Answer } from '../target/target.js';

/** Everything that is needed to do a run again. */
export interface RunHeader {
  id: string;
  suite: string;
  suiteHash: string; // of its cases, as they are asked
  suitePath: string;
  target: { model: string; url: string | null; fingerprint: string }; // url null: loaded by the run itself
  judges: string[];
  seed: number;
  version: string; // of Sluice
  startedAtMs: number;
  trials: number;
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
