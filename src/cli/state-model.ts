import type { Config } from '../config/index.js';
import { probedModel } from '../guards/builtin/injection-probe.js';
import { usesGuard } from '../guards/catalog.js';
import type { StateModel } from '../guards/detect/probe/reader.js';
import { createReporter, resolveModel } from '../models/index.js';

/** Fetches, if need be, the model whose states guards read; they load it themselves. Null where none does. */
export async function findStateModel(
  { guards, engine: { backend } }: Config,
  signal: AbortSignal,
): Promise<StateModel | null> {
  if (!usesGuard(guards, 'injection_probe')) return null;
  const { path } = await resolveModel(probedModel(), { reporter: createReporter(), signal });
  return { path, backend };
}
