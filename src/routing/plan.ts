import type { RouteSpec } from '../config/index.js';
import type { RouteStep } from '../generation/report.js';
import type { Deployment } from './deployment.js';
import type { Needs } from './needs.js';

/** One model to try. */
export interface Candidate {
  deployment: Deployment;
  variant: string | null;
  /** How a try of it went; null where nobody wants to know. */
  record: ((failed: boolean, firstTokenMs: number | null) => void) | null;
}

/** What a request's name stands for, before anybody is asked. */
export interface Plan {
  name: string; // as asked for
  isDirect: boolean; // it names one model, and nothing but that was asked for
  candidates: Candidate[]; // ≥ 1, in the order to be tried
  passedOver: RouteStep[];
  cascade: RouteSpec['cascade'] | null;
  needs: Needs;
}
