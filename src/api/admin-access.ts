import { isLoopback } from '../config/index.js';
import { SluiceError } from '../errors.js';
import type { ApiContext } from './context.js';

/** Without keys whoever reaches this machine's loopback administers it, and nobody else. Throws permission_denied. */
export function requireAdmin(api: ApiContext): void {
  if (isLoopback(api.config.server.host)) return;
  throw new SluiceError('permission_denied', 'Administration needs the server to listen on loopback.');
}
