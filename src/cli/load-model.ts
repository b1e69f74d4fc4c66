import { stat } from 'node:fs/promises';
import type { Config, ModelSpec } from '../config/index.js';
import { createEngine } from '../engine/host.js';
import type { LocalLoader } from '../gateway/create.js';
import type { ServedModel } from '../gateway/models.js';
import { createReporter, type ResolvedModel, resolveModel } from '../models/index.js';
import { repackedDirectory, repackModel } from '../repack/index.js';
import type { Log } from '../telemetry/log.js';
import { createTextService } from '../text/text-pool.js';

export async function loadMainModel(config: Config, log: Log): Promise<ServedModel> {
  const resolved = await resolveModel(config.model.ref, { reporter: createReporter() });
  return await load(config, resolved, resolved.id, log);
}

/** Loads the further models of the configuration, and those that are asked for while the server runs. */
export function localLoader(config: Config, log: Log): LocalLoader {
  const resolve = (spec: ModelSpec) => resolveModel(spec.ref!, { reporter: createReporter() });
  return {
    load: async (spec) => load(withOverrides(config, spec), await resolve(spec), spec.id, log),
    estimateBytes: async (spec) => {
      const { path } = await resolve(spec);
      return (await stat(path)).size + (spec.engine.kvBytes ?? config.engine.kvBytes);
    },
  };
}

async function load(config: Config, resolved: ResolvedModel, id: string, log: Log): Promise<ServedModel> {
  const modelPath = await repacked(resolved, config, log);
  const started = performance.now();
  const [engine, text] = await Promise.all([
    createEngine({ modelPath, ...config.engine }, undefined, {
      modelId: id,
      onFault: (message) => log.error({ model: id }, message),
    }),
    createTextService({ modelPath: resolved.path, backend: config.engine.backend, ...config.text }),
  ]);
  log.info({ model: id, loadMs: Math.round(performance.now() - started), ...engine.context }, 'model loaded');
  return { id, engine, text };
}

/** The file the engine loads: the model's own, or its rewritten copy. */
async function repacked(resolved: ResolvedModel, config: Config, log: Log): Promise<string> {
  const { path, revision } = resolved;
  const { repack: mode, ...engine } = config.engine;
  const directory = repackedDirectory(process.env);
  const outcome = await repackModel({ source: { path, revision }, mode, engine, directory }, (detail) =>
    log.info({ model: resolved.id }, `repacking weights: ${detail}`),
  );
  log.info({ model: resolved.id, repacked: outcome.isRepacked }, `weights ${outcome.detail}`);
  return outcome.path;
}

function withOverrides(config: Config, { engine }: ModelSpec): Config {
  const own = Object.fromEntries(Object.entries(engine).filter(([, value]) => value !== undefined));
  return { ...config, engine: { ...config.engine, ...own } };
}
