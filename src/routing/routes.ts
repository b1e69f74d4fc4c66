import { type RouteSpec, routeSpec } from '../config/index.js';
import { SluiceError } from '../errors.js';
import { Canary, type Rollback } from './canary.js';

export interface Route {
  spec: RouteSpec;
  canary: Canary | null;
}

const MAX_ROUTES = 1000;

/** Names that always stand for all models together. */
const builtIn: readonly RouteSpec[] = [
  routeSpec.parse({ name: 'auto', strategy: 'cheapest' }),
  routeSpec.parse({ name: 'fastest', strategy: 'fastest' }),
  routeSpec.parse({ name: 'cascade', strategy: 'cascade' }),
];

/** Names that stand for several models. Configured ones go before the built-in. */
export class RouteTable {
  readonly #routes = new Map<string, Route>();
  readonly #builtIn = new Map(builtIn.map((spec) => [spec.name, { spec, canary: null }]));

  readonly #onRollback: (spec: RouteSpec, rollback: Rollback | null) => void;

  /** `onRollback` is told when a canary is taken back here, and when one begins anew. */
  constructor(
    specs: readonly RouteSpec[],
    onRollback: (spec: RouteSpec, rollback: Rollback | null) => void = () => {},
  ) {
    this.#onRollback = onRollback;
    for (const spec of specs) this.#add(spec);
  }

  /** Adds or replaces; a canary begins anew. */
  set(spec: RouteSpec): Route {
    const route = this.#add(spec);
    if (route.canary) this.#onRollback(spec, null);
    return route;
  }

  /** A canary was taken back elsewhere, or begins anew there. */
  hearRollback(name: string, rollback: Rollback | null): void {
    const route = this.#routes.get(name);
    if (rollback) route?.canary?.hear(rollback);
    else if (route?.canary?.rollback) this.#add(route.spec);
  }

  #add(spec: RouteSpec): Route {
    if (this.#routes.size >= MAX_ROUTES && !this.#routes.has(spec.name))
      throw new SluiceError('invalid_request', `There are ${MAX_ROUTES} routes already.`);
    const onRollback = (rollback: Rollback) => this.#onRollback(spec, rollback);
    const route = { spec, canary: spec.canary ? new Canary(spec.canary, onRollback) : null };
    this.#routes.set(spec.name, route);
    return route;
  }

  delete(name: string): void {
    if (this.#routes.delete(name)) return;
    throw new SluiceError('not_found', `There is no route ${JSON.stringify(name)}.`);
  }

  find(name: string): Route | null {
    return this.#routes.get(name) ?? this.#builtIn.get(name) ?? null;
  }

  list(): Route[] {
    return [...this.#routes.values()];
  }
}
