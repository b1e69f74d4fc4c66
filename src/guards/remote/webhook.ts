import type { CustomGuard } from '../../config/index.js';
import { signedHeaders } from '../../cost/webhook.js';
import { findingsOf } from '../verdict.js';
import type { RemoteGuard } from './index.js';
import { postJson } from './post.js';

/** Sends the texts, signed, and takes the answer for a verdict. */
export function webhook(
  { url, secret }: NonNullable<CustomGuard['webhook']>,
  nowMs: () => number,
): RemoteGuard {
  return async (texts, { requestId, tenant, stage }, signal) => {
    const body = JSON.stringify({ request_id: requestId, tenant, stage, texts });
    return findingsOf(await postJson(url, body, signedHeaders(secret, nowMs(), body), signal), texts);
  };
}
