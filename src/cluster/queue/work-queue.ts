import type { Argument } from '../../redis/client.js';
import type { RedisLink } from '../../redis/link.js';
import * as scripts from './scripts.js';

/** Streams of a model, by urgency. Priorities from 2 on share the last: within a stream the engine's scheduler tells them apart. */
export const URGENCIES = 3;

/** A request in the queue. */
export interface QueuedWork {
  request: string; // id
  gateway: string;
  attempt: number;
  sequences: number; // that it takes of a worker
  waitMs: number; // it may wait
  deadlineMs: number; // it may take in all, from when it was queued
  conversation: string; // that it belongs to; '': none
  body: Buffer; // packed Work
}

/** Where an entry is. */
export interface Entry {
  stream: string;
  id: string;
}

export interface TakenWork extends QueuedWork {
  entry: Entry;
  waitedMs: number; // by Redis's clock
}

export interface OwnedEntry {
  entry: Entry;
  request: string;
  gateway: string;
  isOver: boolean; // its deadline is long past
}

export interface QueueOptions {
  maxWaiting: number;
  maxInlineBytes: number;
  conversationMs: number;
}

/** What has become of an entry: it waits, it was taken so many ms ago, or it is gone. */
export type EntryState = 'waiting' | 'gone' | { takenMsAgo: number };

/** The queue of one model, in Redis Streams. A gateway owns what it has put in, and takes it out when it has ended. */
export class WorkQueue {
  readonly model: string;
  readonly #redis: RedisLink;
  readonly #options: QueueOptions;

  constructor(model: string, redis: RedisLink, options: QueueOptions) {
    this.model = model;
    this.#redis = redis;
    this.#options = options;
  }

  /** The stream that all workers read. */
  shared(priority: number): string {
    return this.#redis.keys.work(this.model, Math.min(priority, URGENCIES - 1));
  }

  home(worker: string): string {
    return this.#redis.keys.home(this.model, worker);
  }

  /**
   * Null where too many wait. `replaces`: an earlier entry of the same request, which goes. `homes`: workers that it may be left to
   * where its conversation is at one of them; its stream is then theirs.
   */
  async put(
    stream: string,
    work: QueuedWork,
    replaces: Entry | null,
    homes: readonly string[] = [],
  ): Promise<{ entry: Entry | null; waiting: number }> {
    const { keys } = this.#redis;
    const isLarge = work.body.length > this.#options.maxInlineBytes;
    const reply = (await this.#redis.commands.run(
      scripts.enqueue,
      [
        stream,
        keys.body(this.model, work.request),
        replaces?.stream ?? stream,
        this.#open,
        keys.conversation(this.model, work.conversation),
        ...this.streams,
      ],
      [
        this.#options.maxWaiting,
        replaces?.id ?? '',
        isLarge ? work.body : '',
        Math.ceil(work.deadlineMs) + 1,
        keys.bell(this.model),
        this.home(''),
        work.conversation === '' || homes.length === 0 ? '' : `\n${homes.join('\n')}\n`,
        ...fieldsOf(work, isLarge),
      ],
    )) as [Buffer | null, number, Buffer];
    const [id, waiting, chosen] = reply;
    return { entry: id === null ? null : { stream: chosen.toString(), id: id.toString() }, waiting };
  }

  /** Takes requests for as many sequences as there is room for; the last may need more. */
  async take(worker: string, room: number): Promise<TakenWork[]> {
    const streams = [this.home(worker), ...this.streams];
    const conversations = this.#redis.keys.conversation(this.model, '');
    const { conversationMs } = this.#options;
    const args = [worker, room, conversations, conversationMs];
    const reply = await this.#redis.commands.run(scripts.take, [...streams, this.#open], args);
    const [nowMs, ...taken] = reply as [number, ...[number, Buffer, Buffer[]][]];
    const works = await Promise.all(
      taken.map(([stream, id, fields]) =>
        this.#workOf({ stream: streams[stream - 1]!, id: id.toString() }, fields, nowMs),
      ),
    );
    return works.filter((work) => work !== null);
  }

  async remove({ stream, id }: Entry, request: string): Promise<void> {
    const body = this.#redis.keys.body(this.model, request);
    await this.#redis.commands.run(scripts.remove, [stream, body, this.#open], [id]);
  }

  async inspect(stream: string, ids: readonly string[]): Promise<EntryState[]> {
    const states = (await this.#redis.commands.run(scripts.inspect, [stream], ids)) as number[];
    return states.map((state) => (state === -2 ? 'gone' : state === -1 ? 'waiting' : { takenMsAgo: state }));
  }

  /** Whose the entries of a stream are, from after an id on. */
  async owners(stream: string, after: string, count: number): Promise<OwnedEntry[]> {
    const found = await this.#redis.commands.run(scripts.owners, [stream], [after, count]);
    return (found as [Buffer, Buffer, Buffer, number][]).map(([id, request, gateway, isOver]) => ({
      entry: { stream, id: id.toString() },
      request: request.toString(),
      gateway: gateway.toString(),
      isOver: isOver === 1,
    }));
  }

  async waiting(): Promise<number> {
    return (await this.#redis.commands.run(scripts.waiting, this.streams, [])) as number;
  }

  /** Requests that wait or run, over all gateways and workers. */
  async open(): Promise<number> {
    return (await this.#redis.commands.run(scripts.open, [this.#open], [])) as number;
  }

  get #open(): string {
    return this.#redis.keys.open(this.model);
  }

  /** The streams that all workers read, most urgent first. */
  get streams(): string[] {
    return Array.from({ length: URGENCIES }, (_, urgency) => this.shared(urgency));
  }

  /** Null where its body has expired or was taken out meanwhile. */
  async #workOf(entry: Entry, fields: readonly Buffer[], nowMs: number): Promise<TakenWork | null> {
    const values = new Map<string, Buffer>();
    for (let i = 0; i < fields.length; i += 2) values.set(fields[i]!.toString(), fields[i + 1]!);
    const text = (name: string) => values.get(name)!.toString();
    const number = (name: string) => Number(text(name));
    const key = this.#redis.keys.body(this.model, text('request'));
    const body =
      values.get('body') ?? ((await this.#redis.commands.send(key, ['GET', key])) as Buffer | null);
    if (body === null) return null;
    return {
      request: text('request'),
      gateway: text('gateway'),
      attempt: number('attempt'),
      sequences: number('sequences'),
      waitMs: number('waitMs'),
      deadlineMs: number('deadlineMs'),
      conversation: values.get('conversation')?.toString() ?? '',
      body,
      entry,
      waitedMs: Math.max(0, nowMs - Number(entry.id.split('-')[0])),
    };
  }
}

function fieldsOf({ body, ...rest }: QueuedWork, isLarge: boolean): Argument[] {
  const fields: Argument[] = Object.entries(rest).flatMap(([name, value]) => [
    name,
    typeof value === 'number' ? String(Math.ceil(value)) : value,
  ]);
  return isLarge ? fields : [...fields, 'body', body];
}
