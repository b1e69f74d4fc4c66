import type { ApiContext } from '../context.js';
import type { Exchange } from '../exchange.js';
import { readJson } from '../json.js';
import { feedbackRequest } from '../schemas/evaluation.js';

const RATINGS = { up: 1, down: 0 };

/**
 * Kept under the caller's tenant: feedback for another's request is there, but belongs to nothing, and the answer doesn't tell
 * whether such a request was.
 */
export async function feedback(exchange: Exchange, api: ApiContext): Promise<void> {
  const { request_id, rating, correction, comment } = await readJson(exchange, api.body, feedbackRequest);
  const kept = await api.live.feedback({
    requestId: request_id,
    tenant: exchange.caller.tenant,
    keyId: exchange.caller.keyId,
    atMs: Date.now(),
    rating: typeof rating === 'string' ? RATINGS[rating] : (rating ?? null),
    correction: correction ?? null,
    comment: comment ?? null,
  });
  exchange.json(200, { object: 'feedback', request_id, kept });
}

export async function evaluationStatus(exchange: Exchange, api: ApiContext): Promise<void> {
  exchange.json(200, { object: 'evaluation', ...(await api.live.status()) });
}
