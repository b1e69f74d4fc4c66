/** What evaluations keep. Bodies are JSON, whose shape only src/eval knows. */

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
