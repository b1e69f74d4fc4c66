import { Gauge, type Registry } from 'prom-client';

/** A model as a gateway sees it over Redis. */
export interface ClusterModelState {
  model: string;
  waiting: number;
  open: number;
  workers: readonly { running: number; maxSequences: number; pageUse: number; isDraining: boolean }[];
  estimateMs: number | null;
}

/** What autoscalers look at: read from the gateway's last look at the cluster when /metrics is asked for. */
export class ClusterMetrics {
  readonly #registry: Registry;
  #read: () => readonly ClusterModelState[] = () => [];

  constructor(registry: Registry) {
    this.#registry = registry;
    this.#gauge(
      'sluice_cluster_waiting',
      'Requests in the queue of a model, over all gateways',
      (state) => state.waiting,
    );
    this.#gauge(
      'sluice_cluster_open',
      'Requests of a model that wait or run, over all gateways and workers',
      (state) => state.open,
    );
    this.#gauge('sluice_cluster_workers', 'Workers of a model', (state) => state.workers.length);
    this.#gauge('sluice_cluster_running', "Sequences that a model's workers run", ({ workers }) =>
      workers.reduce((sum, { running }) => sum + running, 0),
    );
    this.#gauge('sluice_cluster_places', "Sequences that a model's workers can run", ({ workers }) =>
      workers.reduce((sum, { maxSequences, isDraining }) => sum + (isDraining ? 0 : maxSequences), 0),
    );
    this.#gauge(
      'sluice_cluster_page_use',
      'Share of KV pages that running sequences hold, of the fullest worker',
      ({ workers }) => Math.max(0, ...workers.map(({ pageUse }) => pageUse)),
    );
    this.#gauge(
      'sluice_cluster_wait_seconds',
      'Estimated wait of a request that came now',
      ({ estimateMs }) => (estimateMs ?? 0) / 1000,
    );
  }

  watch(read: () => readonly ClusterModelState[]): void {
    this.#read = read;
  }

  #gauge(name: string, help: string, measure: (state: ClusterModelState) => number): void {
    const read = () => this.#read();
    new Gauge({
      name,
      help,
      labelNames: ['model'],
      registers: [this.#registry],
      collect() {
        this.reset();
        for (const state of read()) this.set({ model: state.model }, measure(state));
      },
    });
  }
}
