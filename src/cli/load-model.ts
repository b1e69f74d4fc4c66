import { stat } from 'node:fs/promises';
import type { Config, ModelSpec } from '../config/index.js';
import { createEngine } from '../engine/host.js';
import { SluiceError } from '../errors.js';
import type { LocalLoader } from '../gateway/create.js';
import type { ServedModel } from '../gateway/models.js';
import { createReporter, type ResolvedModel, resolveModel } from '../models/index.js';
import { repackedDirectory, repackModel } from '../repack/index.js';
import { withoutUndefined } from '../support/without-undefined.js';
import type { Log } from '../telemetry/log.js';
import { createTextService } from '../text/text-pool.js';

/** Rejects once `stop` aborts. */
export async function loadMainModel(config: Config, log: Log, stop: AbortSignal): Promise<ServedModel> {
  const resolved = await resolveModel(config.model.ref, { reporter: createReporter(), signal: stop });
  return await load(config, resolved, resolved.id, log, stop);
}

/** Loads the further models of the configuration, and those that are asked for while the server runs. */
export function localLoader(config: Config, log: Log, stop: AbortSignal): LocalLoader {
  const resolve = (spec: ModelSpec) => resolveModel(spec.ref!, { reporter: createReporter(), signal: stop });
  return {
    load: async (spec) => load(withOverrides(config, spec), await resolve(spec), spec.id, log, stop),
    estimateBytes: async (spec) => {
      const { path } = await resolve(spec);
      return (await stat(path)).size + (spec.engine.kvBytes ?? config.engine.kvBytes);
    },
  };
}

async function load(
  config: Config,
  resolved: ResolvedModel,
  id: string,
  log: Log,
  stop: AbortSignal,
): Promise<ServedModel> {
  const modelPath = await repacked(resolved, config, log, stop);
  const started = performance.now();
  const [engine, text] = await allOrNone([
    createEngine({ modelPath, ...config.engine }, undefined, {
      modelId: id,
      signal: stop,
      onFault: (message) => log.error({ model: id }, message),
    }),
    createTextService({ modelPath: resolved.path, backend: config.engine.backend, ...config.text }),
  ]).catch((error: unknown) => {
    throw namingModel(id, error);
  });
  log.info({ model: id, loadMs: Math.round(performance.now() - started), ...engine.context }, 'model loaded');
  const { kvTypeK, kvTypeV } = config.engine;
  return { id, revision: `${resolved.revision} ${kvTypeK} ${kvTypeV}`, engine, text };
}

/** What goes wrong below speaks of "the file". */
function namingModel(id: string, error: unknown): unknown {
  if (!(error instanceof SluiceError)) return error;
  return new SluiceError(error.code, `The model ${id} can't be loaded: ${error.message}`, { cause: error });
}

interface Closable {
  close(): Promise<void>;
}

/** Where one fails, the other is closed: its threads would keep the process alive. */
async function allOrNone<A extends Closable, B extends Closable>(
  starting: [Promise<A>, Promise<B>],
): Promise<[A, B]> {
  try {
    return await Promise.all(starting);
  } catch (error) {
    const settled = await Promise.allSettled(starting);
    await closeAll(settled.flatMap((each) => (each.status === 'fulfilled' ? [each.value] : [])));
    throw error;
  }
}

export async function closeAll(parts: readonly Closable[]): Promise<void> {
  await Promise.all(parts.map((part) => part.close()));
}

/** The file the engine loads: the model's own, or its rewritten copy. */
async function repacked(
  resolved: ResolvedModel,
  config: Config,
  log: Log,
  stop: AbortSignal,
): Promise<string> {
  const { path, revision } = resolved;
  const { repack: mode, ...engine } = config.engine;
  const directory = repackedDirectory(process.env);
  const outcome = await repackModel({ source: { path, revision }, mode, engine, directory }, stop, (detail) =>
    log.info({ model: resolved.id }, `repacking weights: ${detail}`),
  );
  stop.throwIfAborted();
  log.info({ model: resolved.id, repacked: outcome.isRepacked }, `weights ${outcome.detail}`);
  return outcome.path;
}

function withOverrides(config: Config, { engine }: ModelSpec): Config {
  return { ...config, engine: { ...config.engine, ...withoutUndefined(engine) } };
}
