import { SluiceError } from '../errors.js';

/** What is thrown for a file that isn't what its header claims. */
export function damaged(reason: string): SluiceError {
  return new SluiceError('model_checksum_mismatch', `The file is not a usable GGUF model: ${reason}.`);
}
