import type { SluiceError } from '../../errors.js';
import type { WorkerNews } from '../wire.js';

export function failure({ code, message, param, retryAfterSeconds }: SluiceError): WorkerNews {
  return { type: 'failed', code, message, param, retryAfterSeconds };
}
