import { anonymousCaller, type Caller } from '../auth/caller.js';
import { Webhook } from '../cost/webhook.js';
import { LiveAlerts } from '../eval/live/alerts.js';
import { LiveEvaluation } from '../eval/live/live-evaluation.js';
import type { Router } from '../routing/router.js';
import type { ApiContext } from './context.js';
import { LocalEndpoint } from './local-endpoint.js';

/** Live evaluation of this server's own traffic, by its own models. Throws ConfigError where it can't be as configured. */
export async function createLiveEvaluation({
  config,
  gateway,
  office,
  metrics,
  log,
}: Pick<ApiContext, 'config' | 'gateway' | 'office' | 'metrics' | 'log'>): Promise<LiveEvaluation> {
  const { evaluation, alerts } = config;
  const own = new WeakSet<Caller>();
  const store = office?.store ?? null;
  const webhook = alerts.url === '' ? null : new Webhook({ ...alerts, nowMs: Date.now });
  const liveAlerts = new LiveAlerts({ store, webhook, quietMs: evaluation.alertQuietMs, log, now: Date.now });
  const live = await LiveEvaluation.create({
    config: evaluation,
    store,
    reports: office && (() => office.reports()),
    alerts: liveAlerts,
    metrics: metrics.evaluation,
    log,
    redact: (text, { requestId, tenant }) => gateway.guards.cleaned(requestId, tenant, text),
    endpointFor: ({ tenant, guardProfile }) => {
      // What a key's guards hide from models isn't shown to judges.
      const caller = { ...anonymousCaller(true), tenant, guardProfile };
      own.add(caller);
      // A cached answer isn't what the model gives now, and what is asked here is of no use to users.
      return new LocalEndpoint({ config, gateway }, { caller, cacheControl: 'no-cache, no-store' });
    },
    isOwn: ({ caller }) => own.has(caller),
    variantsOf: (route) => variantsOf(gateway.router, route),
    onWorse: (route, variant) => {
      if (!evaluation.rollback) return;
      takeBack(gateway.router, route, variant);
      log.warn({ route, variant }, 'variant taken back: its answers are worse');
    },
    now: Date.now,
  });
  await liveAlerts.resume();
  return live;
}

/** The control first. */
function variantsOf({ routes }: Router, name: string): readonly string[] | null {
  const spec = routes.find(name)?.spec;
  if (spec?.strategy === 'canary') return ['stable', 'canary'];
  return spec?.strategy === 'weighted' && spec.models.length > 1
    ? spec.models.map(({ model }) => model)
    : null;
}

/** A canary goes back as for errors; of a split the variant gets no weight. Both last until the route is put again. */
function takeBack({ routes }: Router, name: string, variant: string): void {
  const route = routes.find(name);
  if (!route) return;
  if (route.canary) route.canary.takeBack('quality', Date.now());
  else {
    const models = route.spec.models.map((each) => (each.model === variant ? { ...each, weight: 0 } : each));
    routes.set({ ...route.spec, models });
  }
}
