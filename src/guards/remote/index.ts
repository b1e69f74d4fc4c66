import type { CustomGuard } from '../../config/index.js';
import type { DetectorFinding } from '../detector.js';
import type { GuardContext, GuardText } from '../types.js';
import { moderationEndpoint } from './moderation-endpoint.js';
import { webhook } from './webhook.js';

/** A guard that asks somebody else. Rejects where it gets no verdict. */
export type RemoteGuard = (
  texts: readonly GuardText[],
  context: GuardContext,
  signal: AbortSignal,
) => Promise<DetectorFinding[][]>;

export function remoteGuards(custom: readonly CustomGuard[]): Map<string, RemoteGuard> {
  const guards = new Map<string, RemoteGuard>();
  for (const guard of custom) {
    if (guard.webhook) guards.set(guard.name, webhook(guard.webhook, Date.now));
    if (guard.moderation) guards.set(guard.name, moderationEndpoint(guard.moderation, process.env));
  }
  return guards;
}
