import { AnswerCache } from '../cache/answer-cache.js';
import { keyScopeOf } from '../cache/open.js';
import type { LowerLevel } from '../cache/types.js';
import { type Config, ConfigError, faultAt, type ModelSpec, modelSpec } from '../config/index.js';
import type { Accounting } from '../cost/accounting.js';
import { PriceTable } from '../cost/prices.js';
import type { Embedder } from '../embedding/index.js';
import type { StateModel } from '../guards/detect/probe/reader.js';
import { Guards } from '../guards/guards.js';
import { askModel } from '../routing/ask-model.js';
import { Fleet, type FleetHooks } from '../routing/fleet.js';
import { Router } from '../routing/router.js';
import { RouteTable } from '../routing/routes.js';
import { type HealthExchange, SharedHealth } from '../routing/shared-health.js';
import type { Target } from '../routing/target.js';
import { UpstreamTarget } from '../routing/upstream/upstream-target.js';
import type { ClusterModelState } from '../telemetry/cluster.js';
import type { Log } from '../telemetry/log.js';
import type { Metrics } from '../telemetry/metrics.js';
import { LocalTarget } from './local-target.js';
import type { ModelRegistry, ServedModel } from './models.js';
import type { Gateway } from './pipeline.js';
import { PrefixRegistry } from './prefixes.js';

/** Loads models into this process. */
export interface LocalLoader {
  load(spec: ModelSpec): Promise<ServedModel>;
  /** Memory that it will take, as well as can be told before. */
  estimateBytes(spec: ModelSpec): Promise<number>;
}

/** Models that others serve, and what is shared with other gateways. */
export interface RemoteModels {
  readonly health: HealthExchange;
  /** Adds them to the fleet: those that are known now, and later ones when they are found. */
  attach(fleet: Fleet): Promise<void>;
  /** Theirs; null: none of them has one. */
  readonly encoder: Embedder | null;
  /** As of the last look. */
  state(): readonly ClusterModelState[];
  /** Whether what is shared with other gateways can be reached. */
  isConnected(): boolean;
}

export interface GatewayParts {
  config: Config;
  /** Models that are loaded already. */
  models: ModelRegistry;
  metrics: Metrics;
  accounting: Accounting;
  log: Log;
  /** Of the cache, below memory. */
  cacheLevels?: readonly LowerLevel[];
  /** Absent: no further models can be loaded into this process. */
  loader?: LocalLoader;
  /** Null, or absent: no embeddings. */
  embedder?: Embedder | null;
  /** Null, or absent: no guard can read a language model's states. */
  stateModel?: StateModel | null;
  remote?: RemoteModels;
}

/** The gateway with all configured models. Throws ConfigError where they don't fit together, and what loading throws. */
export async function createGateway(parts: GatewayParts): Promise<Gateway> {
  const { config, models, metrics } = parts;
  const prefixes = new PrefixRegistry(config.requests.maxPinnedPrefixes);
  const health = parts.remote ? new SharedHealth(parts.remote.health) : null;
  const fleet = createFleet(parts, prefixes, health);
  for (const served of [...models.list()]) {
    const { maxSequences, guestSequences } = config.engine;
    const target = new LocalTarget(served, prefixes, config.requests, maxSequences, guestSequences);
    fleet.adopt(adoptedSpec(served.id, models.aliasesOf(served)), target);
  }
  for (const spec of config.routing.models) await fleet.add(spec);
  const { remote } = parts;
  if (remote) {
    await remote.attach(fleet);
    metrics.cluster.watch(() => remote.state());
  }
  const routes = new RouteTable(config.routing.routes, (spec, rollback) =>
    health?.rollbackChanged(spec, rollback),
  );
  const router = new Router(fleet, routes);
  await health?.attach(router);
  if (!parts.remote) refuseUnknownNames(config, router); // a worker may still come with them
  const cache = createCache(parts, router);
  const { accounting, embedder = null, stateModel = null } = parts;
  const guards = new Guards({
    config: config.guards,
    metrics: metrics.guards,
    log: parts.log,
    nowMs: Date.now,
    vocabs: () => fleet.list().flatMap(({ target }) => target?.vocab ?? []),
    embedder,
    stateModel,
  });
  await guards.warmUp().catch(async (error: unknown) => {
    await guards.close();
    throw error;
  });
  return {
    router,
    cache,
    models,
    metrics: metrics.generations,
    accounting,
    /** One in this process comes first. */
    get embedder() {
      return embedder ?? parts.remote?.encoder ?? null;
    },
    guards,
    observer: null,
  };
}

function createCache({ config, metrics, log, cacheLevels = [] }: GatewayParts, router: Router): AnswerCache {
  const cache = new AnswerCache({
    settings: config.cache,
    scope: keyScopeOf(config),
    lower: config.cache.enabled ? cacheLevels : [],
    metrics: metrics.cache,
    ask: async (errand, model, question, signal) => {
      const asked = { ...question, id: `${errand.request.id}/cache` };
      return (await askModel(router, model, errand, asked, signal)).text;
    },
    nowMs: Date.now,
    random: Math.random,
    onFault: (error, level) => {
      metrics.cache.failed(level);
      log.warn({ err: error, level }, 'cache');
    },
  });
  metrics.cache.watch(() => cache.stats());
  return cache;
}

function createFleet(
  { config, models, metrics, log, loader }: GatewayParts,
  prefixes: PrefixRegistry,
  health: SharedHealth | null,
): Fleet {
  const open = async (spec: ModelSpec): Promise<Target> => {
    if (spec.upstream) {
      const { maxAnswerBytes } = config.routing;
      return new UpstreamTarget(spec, { maxAnswerBytes, env: process.env });
    }
    if (!loader) throw new ConfigError([`routing.models: ${spec.id}: no models can be loaded here`]);
    const maxSequences = spec.engine.maxSequences ?? config.engine.maxSequences;
    const guestSequences = spec.engine.guestSequences ?? config.engine.guestSequences;
    return new LocalTarget(await loader.load(spec), prefixes, config.requests, maxSequences, guestSequences);
  };
  const hooks: FleetHooks = {
    up: ({ spec }, target) => {
      if (!(target instanceof LocalTarget)) return;
      models.replace(target.served, spec.aliases);
      metrics.engines.add(target.served.engine);
    },
    down: ({ id }, target) => {
      if (!(target instanceof LocalTarget)) return;
      models.remove(target.served);
      metrics.engines.remove(target.served.engine);
      prefixes.forgetModel(id);
    },
    log: (message, details) => log.info(details, message),
  };
  const environment = {
    settings: config.routing,
    prices: new PriceTable(config.cost.prices, {
      local: config.cost.localPrice,
      unknown: config.cost.unknownPrice,
    }),
    defaultMaxTokens: config.requests.defaultMaxTokens,
    now: Date.now,
    random: Math.random,
    ...(health ? { onBreakerChange: health.breakerChanged.bind(health) } : {}),
  };
  const estimateBytes = async (spec: ModelSpec) => (await loader?.estimateBytes(spec)) ?? 0;
  return new Fleet(environment, { open, estimateBytes }, hooks);
}

/** The names of loaded models are their files', and may hold characters that configured names can't. */
export function adoptedSpec(id: string, aliases: string[]): ModelSpec {
  return { ...modelSpec.parse({ id: 'adopted', ref: 'adopted' }), id, ref: id, aliases };
}

function refuseUnknownNames(config: Config, { fleet, routes }: Router): void {
  const isKnown = (name: string) => fleet.find(name) !== null;
  const known = fleet.list().map(({ id }) => id);
  const choice = known.length > 0 ? `there are ${known.join(', ')}` : 'there are no models';
  const faults = config.routing.routes.flatMap((route, index) => {
    const path = `routing.routes.${index}`;
    const unknown = unknownModels(route, isKnown).map((name) =>
      faultAt(config, path, `no model or alias ${JSON.stringify(name)}; ${choice}`),
    );
    if (!isKnown(route.name)) return unknown;
    const taken = `${JSON.stringify(route.name)} is a model's name already`;
    return [...unknown, faultAt(config, `${path}.name`, taken)];
  });
  const { default: named } = config.routing;
  if (named !== '' && !isKnown(named) && !routes.find(named))
    faults.push(
      faultAt(config, 'routing.default', `no model, alias or route ${JSON.stringify(named)}; ${choice}`),
    );
  if (faults.length > 0) throw new ConfigError(faults);
}

/** Names in a route that stand for no model. */
export function unknownModels(
  route: Config['routing']['routes'][number],
  isKnown: (name: string) => boolean,
): string[] {
  const names = [
    ...route.models.map(({ model }) => model),
    ...route.fallbacks,
    ...(route.canary ? [route.canary.model] : []),
    ...(route.cascade?.judge ? [route.cascade.judge] : []),
  ];
  return names.filter((name) => !isKnown(name));
}
