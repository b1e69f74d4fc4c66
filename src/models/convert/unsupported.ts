import { SluiceError } from '../../errors.js';

/** What is thrown for a checkpoint that is whole, but of a kind that isn't converted. */
export function unsupported(reason: string): SluiceError {
  return new SluiceError('model_not_found', `The package's model can't be converted to GGUF: ${reason}.`);
}
