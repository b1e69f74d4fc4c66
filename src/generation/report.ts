/** One model that was tried, or passed over. */
export interface RouteStep {
  model: string;
  outcome: string; // 'answered', 'below_threshold', 'too_dear', or an error's code
  nanodollars: number;
  quality: number | null;
}

/** How an answer came about. */
export interface RouteReport {
  name: string; // as asked for
  model: string; // that answered
  variant: string | null;
  nanodollars: number; // of everything that was asked for it
  quality: number | null; // of the answer; null where it wasn't estimated
  steps: RouteStep[];
}

/** Why a text was stopped. Never the text. */
export interface BlockReport {
  stage: 'input' | 'output';
  guard: string;
  category: string;
  score: number; // 0–1
}

/** What guards say of an answer. */
export interface GuardReport {
  blocked: BlockReport | null; // where they have cut it off
  warnings: readonly string[]; // "guard/category"
}
