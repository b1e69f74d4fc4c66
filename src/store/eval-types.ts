/** What evaluations keep. Bodies are JSON, whose shape only src/eval knows, but for what of samples is summed up here. */

export interface EvalRunRow {
  id: string;
  suite: string;
  startedAtMs: number;
  finishedAtMs: number | null; // null: it was cut off, or runs
  header: string;
}

export interface EvalResultRow {
  caseId: string;
  repeat: number;
  body: string;
}

export interface EvalSampleRow {
  requestId: string;
  tenant: string;
  atMs: number;
  model: string;
  body: string;
}

/** What a cascade estimated of a sample, and the score that it got. */
export interface EstimateRow {
  route: string;
  model: string;
  estimated: number;
  scored: number;
}

export interface ScorerMean {
  model: string;
  scorer: string;
  samples: number;
  mean: number;
}

export interface FeedbackRow {
  requestId: string;
  tenant: string;
  keyId: string | null;
  atMs: number;
  rating: number | null; // 0 (bad) to 1 (good)
  correction: string | null; // what the answer should have been
  comment: string | null;
}

export interface EvalAlertRow {
  subject: string; // what is alerted about; one alert each at a time
  atMs: number;
  body: string; // JSON, as it is sent
}
