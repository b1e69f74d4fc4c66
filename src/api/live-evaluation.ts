import { anonymousCaller, type Caller } from '../auth/caller.js';
import { Webhook } from '../cost/webhook.js';
import { LiveAlerts } from '../eval/live/alerts.js';
import { LiveEvaluation } from '../eval/live/live-evaluation.js';
import type { Split } from '../eval/live/monitor.js';
import type { Router } from '../routing/router.js';
import type { Route } from '../routing/routes.js';
import type { ApiContext } from './context.js';
import { LocalEndpoint } from './local-endpoint.js';
import { QuietEndpoint } from './quiet-endpoint.js';

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
  const splits = new Splits();
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
      const endpoint = new LocalEndpoint({ config, gateway }, { caller, cacheControl: 'no-cache, no-store' });
      return new QuietEndpoint(endpoint, (model) => gateway.router.fleet.find(model)?.queue.hasSpare ?? true);
    },
    isOwn: ({ caller }) => own.has(caller),
    splitOf: (route) => splits.of(gateway.router, route),
    onWorse: (route, variant) => {
      if (!evaluation.rollback) return;
      splits.takeBack(gateway.router, route, variant);
      log.warn({ route, variant }, 'variant taken back: its answers are worse');
    },
    now: Date.now,
  });
  const { fleet, routes } = gateway.router;
  if (evaluation.judge !== '' && !fleet.find(evaluation.judge) && !routes.find(evaluation.judge))
    log.warn({ judge: evaluation.judge }, 'the judge of evaluation.judge is not served here (yet)');
  await liveAlerts.resume();
  return live;
}

/** Routes as splits of their requests. One whose variant was taken back is still the one that was put. */
class Splits {
  readonly #deployed = new WeakMap<Route, Route>();

  of({ routes }: Router, name: string): Split | null {
    const route = routes.find(name);
    const variants = route && variantsOf(route);
    return variants && { variants, deployed: this.#deployed.get(route) ?? route };
  }

  /** A canary goes back as for errors; of a split the variant gets no weight. Both last until the route is put again. */
  takeBack({ routes }: Router, name: string, variant: string): void {
    const route = routes.find(name);
    if (!route) return;
    if (route.canary) {
      route.canary.takeBack('quality', Date.now());
      return;
    }
    const models = route.spec.models.map((each) => (each.model === variant ? { ...each, weight: 0 } : each));
    this.#deployed.set(routes.set({ ...route.spec, models }), this.#deployed.get(route) ?? route);
  }
}

/** The control first. */
function variantsOf({ spec }: Route): readonly string[] | null {
  if (spec.strategy === 'canary') return ['stable', 'canary'];
  return spec.strategy === 'weighted' && spec.models.length > 1
    ? spec.models.map(({ model }) => model)
    : null;
}
