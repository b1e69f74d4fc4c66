import type { EvaluationConfig } from '../../config/index.js';
import { unitHash } from '../../routing/split.js';
import type { EndedExchange, SampleReason } from './sample.js';

/** What of an exchange decides over it. */
type Facts = Pick<
  EndedExchange,
  'requestId' | 'keyId' | 'route' | 'model' | 'quality' | 'cacheLevel' | 'guardWarnings'
>;

/** Which requests are evaluated. Pure; a request's fate is a hash of its id, so every process decides alike. */
export class Sampling {
  readonly #config: EvaluationConfig;

  constructor(config: EvaluationConfig) {
    this.#config = config;
  }

  /** Whether a request of this key may be looked at at all. */
  mayLook(keyId: string | null): boolean {
    return keyId === null || this.#config.keys[keyId] !== 0;
  }

  /** Why it is taken; empty: it isn't. */
  reasons(exchange: Facts): SampleReason[] {
    if (!this.mayTake(exchange)) return [];
    const share = this.#shareOf(exchange);
    return [
      ...(unitHash(`sample ${exchange.requestId}`) < share ? ['share' as const] : []),
      ...this.#rules(exchange),
    ];
  }

  /** Whether any reason would do. */
  mayTake(exchange: Facts): boolean {
    return this.mayLook(exchange.keyId) && this.#shareOf(exchange) > 0;
  }

  allows(rule: EvaluationConfig['rules'][number]): boolean {
    return this.#config.rules.includes(rule);
  }

  #shareOf({ keyId, route, model }: Facts): number {
    const { keys, routes, share } = this.#config;
    return (keyId === null ? undefined : keys[keyId]) ?? routes[route ?? model] ?? share;
  }

  #rules({ quality, cacheLevel, guardWarnings }: Facts): SampleReason[] {
    const found = {
      low_confidence: quality !== null && quality < this.#config.lowConfidence,
      cache_hit: cacheLevel === 'l3',
      guard_warning: guardWarnings.length > 0,
    };
    return (Object.keys(found) as (keyof typeof found)[]).filter((rule) => found[rule] && this.allows(rule));
  }
}
