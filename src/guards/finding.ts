/** What detection finds, and how guards ask for it. Offsets are UTF-16 units of the text as it came, whatever views were searched. */

export interface Finding {
  start: number;
  end: number; // exclusive
  category: string; // 'email', 'credit_card', 'prompt_injection', 'hate/threatening', …
  score: number; // 0–1
  isValidated: boolean; // a checksum or the like proved it
  detail: string | null; // which rule; never the text
}

/** Finds spans. Pure: equal texts give equal findings. */
export interface Recogniser {
  readonly name: string;
  readonly categories: readonly string[];
  /** The longest span that it finds. */
  readonly maxSpan: number;
  /** How far beyond a span's end the text can still change the finding: streams hold back so much. */
  readonly lookAhead: number;
  find(text: string): Finding[];
  /** Where the earliest candidate that more text could complete begins; text.length where there is none. */
  openFrom(text: string): number;
}

/** Judges a text as a whole. */
export interface Classifier {
  readonly name: string;
  score(text: string): { category: string; score: number }[];
}

/** A finding depends on no text farther than this before its start: so much a stream keeps of what it has sent. */
export const LOOK_BEHIND = 256;
