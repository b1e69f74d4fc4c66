import { Registry } from 'prom-client';
import type { GuardConfig, GuardStage } from '../config/index.js';
import { SluiceError } from '../errors.js';
import { GuardMetrics } from '../telemetry/guards.js';
import type { Log } from '../telemetry/log.js';
import type { StateModel } from './detect/probe/reader.js';
import { applyEdits } from './edits.js';
import { TemplateTokens } from './input/template-tokens.js';
import { inspect } from './inspect.js';
import { Inspector } from './inspector.js';
import { type Profile, ProfileBook, type ProfileGuard } from './profile.js';
import type { Hit } from './types.js';
import { Vault } from './vault/vault.js';

export interface DryRunResult {
  text: string;
  hits: Hit[];
  isBlocked: boolean;
  left: string; // what a model, or a client, would see
}

/** A profile's guards on texts that nobody sends. */
export class DryRun {
  readonly #inspector: Inspector;
  readonly #guards: readonly ProfileGuard[];
  readonly #stage: GuardStage;
  /** Guards that can't be tried without a server. */
  readonly skipped: string[];

  /** Throws ConfigError, and invalid_value for a profile that isn't there. */
  constructor(
    config: GuardConfig,
    profileName: string,
    stage: GuardStage,
    log: Log,
    stateModel: StateModel | null,
  ) {
    const all = profileOf(config, profileName).guards[stage];
    const isSkipped = ({ kind, use }: ProfileGuard) =>
      kind.cost === 'model' || kind.cost === 'embedding' || use.guard === 'confidence';
    this.#guards = all.filter((guard) => !isSkipped(guard));
    this.skipped = all.filter(isSkipped).map(({ use }) => use.guard);
    this.#stage = stage;
    this.#inspector = new Inspector({
      config,
      guards: this.#guards,
      metrics: new GuardMetrics(new Registry()),
      log,
      templateTokens: new TemplateTokens(() => []),
      embedder: null,
      stateModel,
    });
  }

  async check(text: string): Promise<DryRunResult> {
    await this.#inspector.warmUp();
    const vault = new Vault();
    const { hits, edits, block } = await inspect({
      inspector: this.#inspector,
      guards: this.#guards,
      texts: [{ text, origin: this.#stage === 'input' ? 'user' : 'assistant' }],
      context: { requestId: 'dry-run', tenant: 'default', stage: this.#stage },
      hide: (value, category) => vault.hide(value, category),
      ask: () => Promise.reject(new Error('there is no model')),
    });
    vault.destroy();
    return { text, hits, isBlocked: block !== null, left: applyEdits(text, edits[0]!) };
  }

  close(): Promise<void> {
    return this.#inspector.close();
  }
}

function profileOf(config: GuardConfig, name: string): Profile {
  const book = new ProfileBook(config);
  const profile = book.list().find((each) => each.name === name);
  if (profile) return profile;
  throw new SluiceError(
    'invalid_value',
    `There is no guard profile ${name}; there are ${book.names.join(', ')}.`,
  );
}
