import { resolveModel } from '../../../src/models/index.js';

/** Path of the default model, pulled if it isn't there; SLUICE_TEST_MODEL names another one. */
export async function realModel(): Promise<string> {
  return (await resolveModel(process.env.SLUICE_TEST_MODEL || null)).path;
}
