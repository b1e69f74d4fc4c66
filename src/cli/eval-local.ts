import { createHash } from 'node:crypto';
import { LocalEndpoint } from '../api/local-endpoint.js';
import { anonymousCaller } from '../auth/caller.js';
import { type Config, loadConfig, modelSpec, NO_MODEL } from '../config/index.js';
import { noAccounting } from '../cost/accounting.js';
import { createGateway } from '../gateway/create.js';
import { ModelRegistry } from '../gateway/models.js';
import { resolveModel } from '../models/index.js';
import { packageVersion } from '../support/version.js';
import { createLog } from '../telemetry/log.js';
import { Metrics } from '../telemetry/metrics.js';
import type { OpenedEndpoint } from './eval-endpoint.js';
import { createEmbedder } from './load-embedder.js';
import { loadMainModel, localLoader } from './load-model.js';
import { findStateModel } from './state-model.js';

export interface LocalOptions {
  config?: string | undefined;
  target: string;
  judges: readonly string[];
  stop: AbortSignal;
}

/**
 * Loads the target into this process, with the gateway around it: a model or route of the configuration, or else a reference.
 * Judges that the configuration doesn't name are loaded beside it.
 */
export async function openLocal({
  config: file,
  target,
  judges,
  stop,
}: LocalOptions): Promise<OpenedEndpoint> {
  const config = withModels(
    loadConfig({ file: file ?? process.env.SLUICE_CONFIG, environment: process.env, flags: [] }),
    target,
    judges,
  );
  const log = createLog('warn');
  const models = new ModelRegistry();
  const revisions = await Promise.all(
    [config.model.ref, ...config.routing.models.flatMap(({ ref }) => ref ?? [])]
      .filter((ref) => ref !== NO_MODEL)
      .map(async (ref) => (await resolveModel(ref, { signal: stop })).revision),
  );
  if (config.model.ref !== NO_MODEL) models.add(await loadMainModel(config, log, stop), config.model.aliases);
  const metrics = new Metrics({ processMetrics: false });
  const loader = localLoader(config, log, stop);
  const embedder = await createEmbedder(config, log, stop);
  const stateModel = await findStateModel(config, stop);
  const accounting = noAccounting;
  const gateway = await createGateway({
    config,
    models,
    metrics,
    accounting,
    log,
    loader,
    embedder,
    stateModel,
  });
  const { fleet, routes } = gateway.router;
  // Where it listens and what it logs is of no matter.
  const { server: _, http: __, log: ___, telemetry: ____, data: _____, ...settings } = config;
  const identity = JSON.stringify([packageVersion(), revisions, settings]);
  return {
    endpoint: new LocalEndpoint(
      { config, gateway },
      { caller: anonymousCaller(true), cacheControl: undefined },
    ),
    model: fleet.find(target) || routes.find(target) ? target : fleet.list()[0]!.id,
    url: null,
    fingerprint: createHash('sha256').update(identity).digest('hex').slice(0, 16),
    revision: revisions.join(' ') || null,
    close: async () => {
      await fleet.close();
      await embedder?.close();
    },
  };
}

function withModels(config: Config, target: string, judges: readonly string[]): Config {
  const { models, routes } = config.routing;
  const isNamed = (name: string) =>
    routes.some((route) => route.name === name) ||
    models.some(({ id, aliases }) => id === name || aliases.includes(name)) ||
    config.model.aliases.includes(name);
  const added = judges
    .filter((judge) => judge !== target && !isNamed(judge))
    .map((judge) => modelSpec.parse({ id: judge, ref: judge }));
  return {
    ...config,
    model: isNamed(target) ? config.model : { ...config.model, ref: target },
    routing: { ...config.routing, models: [...models, ...added] },
  };
}
