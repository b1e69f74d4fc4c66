import type { PinnedPrefix } from '../../engine/types.js';
import { duplicatePrefix, noPrefix, type PrefixContent, tooManyPrefixes } from '../../gateway/prefixes.js';
import type { Reply } from '../../redis/client.js';
import type { RedisLink } from '../../redis/link.js';
import { orAway } from '../../redis/or-away.js';
import { pack, unpack } from '../../redis/packing.js';
import type { Script } from '../../redis/script.js';
import * as scripts from './scripts.js';

/** What lists show of a prefix that was computed. Its time tells it from an earlier one of the same id. */
type Pin = Pick<PinnedPrefix, 'tokens' | 'pages' | 'createdAtMs'>;

/** Pinned prefixes of one model, in Redis: what each stands for, for whichever worker needs it. They stay until they are removed. */
export class SharedPrefixes {
  readonly #model: string;
  readonly #redis: RedisLink;
  readonly #maxPerTenant: number;

  constructor(model: string, redis: RedisLink, maxPerTenant: number) {
    this.#model = model;
    this.#redis = redis;
    this.#maxPerTenant = maxPerTenant;
  }

  /**
   * Rejects with duplicate_id, or invalid_request where the tenant has as many as allowed. The same again is no fault until it is
   * described: another worker may try again what one has not finished.
   */
  async add(tenant: string, id: string, content: PrefixContent): Promise<void> {
    const { contents, pins } = this.#keys(tenant);
    const args = [id, this.#maxPerTenant, pack(content)];
    const outcome = await this.#run(scripts.add, [contents, pins], args);
    if (outcome === 1) throw duplicatePrefix(id);
    if (outcome === 2) throw tooManyPrefixes(this.#maxPerTenant);
  }

  /** It is computed. */
  async describe({ tenant, id, tokens, pages, createdAtMs }: PinnedPrefix): Promise<void> {
    const { contents, pins } = this.#keys(tenant);
    const pin: Pin = { tokens, pages, createdAtMs };
    await this.#run(scripts.describe, [contents, pins], [id, pack(pin)]);
  }

  /** For a request that begins with it. `createdAtMs` is null while it is being computed. Rejects with not_found. */
  async use(tenant: string, id: string): Promise<{ content: PrefixContent; createdAtMs: number | null }> {
    const { contents, pins, hits } = this.#keys(tenant);
    const reply = await this.#run(scripts.use, [contents, pins, hits], [id]);
    if (reply === null) throw noPrefix(id);
    const [content, pin] = reply as [Buffer, Buffer | null];
    return { content: unpack<PrefixContent>(content), createdAtMs: pin && unpack<Pin>(pin).createdAtMs };
  }

  /** Those that were computed. */
  async list(tenant: string): Promise<PinnedPrefix[]> {
    const { pins, hits } = this.#keys(tenant);
    const all = (await this.#run(scripts.list, [pins, hits], [])) as [Buffer, Buffer, Buffer | null][];
    return all.map(([id, pin, count]) => {
      return { id: id.toString(), tenant, ...unpack<Pin>(pin), hits: Number(count ?? 0) };
    });
  }

  /** `unlessComputed`: only one that nobody has described. False where there was none. */
  async remove(tenant: string, id: string, { unlessComputed = false } = {}): Promise<boolean> {
    const { contents, pins, hits } = this.#keys(tenant);
    const args = [id, unlessComputed ? '1' : '0'];
    return (await this.#run(scripts.remove, [contents, pins, hits], args)) === 1;
  }

  #run(script: Script, keys: string[], args: (string | number | Buffer)[]): Promise<Reply> {
    return orAway(this.#redis.commands.run(script, keys, args));
  }

  #keys(tenant: string) {
    const { keys } = this.#redis;
    return {
      contents: keys.prefixes(this.#model, tenant),
      pins: keys.pins(this.#model, tenant),
      hits: keys.prefixHits(this.#model, tenant),
    };
  }
}
