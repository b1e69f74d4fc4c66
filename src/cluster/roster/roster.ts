import type { EmbeddingModel } from '../../embedding/index.js';
import type { VocabTable } from '../../native/types.js';
import type { RedisLink } from '../../redis/link.js';
import { pack, unpack } from '../../redis/packing.js';
import type { ModelCard } from '../../routing/model-card.js';
import { URGENCIES } from '../queue/work-queue.js';
import * as scripts from './scripts.js';

/** What a worker says of itself with each heartbeat. */
export interface WorkerState {
  id: string;
  revision: string; // of the model it serves
  maxSequences: number;
  running: number; // sequences
  runningFor: Record<string, number>; // of them, by gateway
  pageUse: number; // share of its KV pages that running sequences hold
  serviceMs: number; // that a request has taken, lately; 0: none has ended
  isDraining: boolean;
  prefixes: Uint32Array; // names of the prefixes that it holds
}

/** What gateways need to know of a model, the same for all its workers. */
export interface ModelDescription {
  kind: 'generator';
  contextTokens: number;
  aliases: string[];
  revision: string;
  vocab: VocabTable;
  card: ModelCard;
}

/** The same of an encoder, which makes vectors of texts. */
export interface EncoderDescription {
  kind: 'encoder';
  aliases: string[];
  model: EmbeddingModel;
}

/** A model without workers is remembered so long: its requests wait for one. */
const REMEMBER_MODEL_MS = 86_400_000;

/** Which models there are. */
export async function recentModels({ commands, keys }: RedisLink): Promise<string[]> {
  const names = await commands.run(scripts.recentModels, [keys.models], [REMEMBER_MODEL_MS]);
  return (names as Buffer[]).map(String);
}

/** The workers of one model. */
export class Roster {
  readonly #redis: RedisLink;
  readonly #model: string;

  constructor(model: string, redis: RedisLink) {
    this.#model = model;
    this.#redis = redis;
  }

  async announce(
    state: WorkerState,
    leaseMs: number,
    description: ModelDescription | EncoderDescription,
  ): Promise<void> {
    const { commands, keys } = this.#redis;
    const all = [this.#workers, this.#leases, this.#description, ...this.#streams];
    const isKnown = await commands.run(scripts.announce, all, [
      state.id,
      leaseMs,
      pack(state),
      this.#redis.keys.home(this.#model, ''),
    ]);
    if (!isKnown) await commands.send(this.#description, ['SET', this.#description, pack(description)]);
    await commands.run(scripts.announceModel, [keys.models], [this.#model]);
  }

  async leave(worker: string): Promise<void> {
    const home = this.#redis.keys.home(this.#model, worker);
    const all = [this.#workers, this.#leases, home, ...this.#streams];
    await this.#redis.commands.run(scripts.leave, all, [worker]);
  }

  async members(): Promise<WorkerState[]> {
    const states = await this.#redis.commands.run(scripts.members, [this.#workers, this.#leases], []);
    return (states as (Buffer | null)[]).flatMap((state) => (state ? [unpack<WorkerState>(state)] : []));
  }

  /** Null where no worker has told yet. */
  async description(): Promise<ModelDescription | EncoderDescription | null> {
    const packed = await this.#redis.commands.send(this.#description, ['GET', this.#description]);
    return packed === null ? null : unpack<ModelDescription | EncoderDescription>(packed as Buffer);
  }

  get #workers(): string {
    return this.#redis.keys.workers(this.#model);
  }

  get #leases(): string {
    return this.#redis.keys.leases(this.#model);
  }

  get #description(): string {
    return this.#redis.keys.description(this.#model);
  }

  get #streams(): string[] {
    return Array.from({ length: URGENCIES }, (_, urgency) => this.#redis.keys.work(this.#model, urgency));
  }
}
