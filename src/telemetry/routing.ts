import { Gauge, type Registry } from 'prom-client';
import type { Deployment } from '../routing/deployment.js';
import type { Router } from '../routing/router.js';

/** State of the models and their queues, read when /metrics is asked for. */
export class RoutingMetrics {
  readonly #registry: Registry;
  #router: Router | null = null;

  constructor(registry: Registry) {
    this.#registry = registry;
    this.#gauge(
      'sluice_model_available',
      '1 where requests would be sent to the model',
      ({ deployment, nowMs }) => (deployment.unavailable(nowMs) === null ? 1 : 0),
    );
    this.#gauge(
      'sluice_model_running',
      'Requests at the model',
      ({ deployment }) => deployment.queue.running,
    );
    this.#gauge(
      'sluice_model_waiting',
      'Requests waiting for the model',
      ({ deployment }) => deployment.queue.waiting,
    );
  }

  watch(router: Router): void {
    this.#router = router;
  }

  #gauge(
    name: string,
    help: string,
    read: (what: { deployment: Deployment; nowMs: number }) => number,
  ): void {
    const deployments = () => this.#router?.fleet.list() ?? [];
    new Gauge({
      name,
      help,
      labelNames: ['model'],
      registers: [this.#registry],
      collect() {
        this.reset();
        const nowMs = Date.now();
        for (const deployment of deployments())
          this.set({ model: deployment.id }, read({ deployment, nowMs }));
      },
    });
  }
}
