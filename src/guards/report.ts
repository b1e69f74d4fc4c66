import type { GuardStage } from '../config/index.js';
import { SluiceError } from '../errors.js';
import type { BlockReport } from '../generation/report.js';
import type { Hit } from './types.js';

export function blockReport({ guard, category, score }: Hit, stage: GuardStage): BlockReport {
  return { stage, guard, category, score };
}

/** A finding as headers and the ledger name it. */
export function warningOf({ guard, category }: Hit): string {
  return guard === category ? guard : `${guard}/${category}`;
}

/** Says what was found where, and for which request; never the text. */
export function blockedError(report: BlockReport, requestId: string): SluiceError {
  const { stage, guard, category, score } = report;
  const what = stage === 'input' ? 'The request' : 'The answer';
  const message = `${what} was blocked by the guard ${guard} (${category}). Request ${requestId}.`;
  const details = { guard: { stage, guard, category, score, request_id: requestId } };
  return new SluiceError('content_policy_violation', message, { details });
}
