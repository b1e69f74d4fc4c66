import {
  ConfigError,
  type GuardConfig,
  type GuardProfile,
  type GuardStage,
  type GuardUse,
} from '../config/index.js';
import { SluiceError } from '../errors.js';
import { type GuardKind, guardKinds, NO_PROFILE, profilesOf } from './catalog.js';
import { isRepairing } from './output/repair.js';
import { slowOptions } from './slow-options.js';

/** One guard of a profile, with its defaults. */
export interface ProfileGuard {
  use: GuardUse;
  kind: GuardKind;
  timeoutMs: number;
}

export interface Profile {
  name: string;
  guards: Readonly<Record<GuardStage, readonly ProfileGuard[]>>;
  onBlock: GuardProfile['onBlock'];
  refusal: string;
  /** The guard that asks for another answer before it blocks one. */
  repairs: ProfileGuard | null;
}

/** All profiles of a configuration. */
export class ProfileBook {
  readonly #profiles: ReadonlyMap<string, Profile>;
  readonly #combined = new Map<string, Profile>();
  readonly #fallback: string;
  readonly #kinds: ReadonlyMap<string, GuardKind>;
  readonly #timeoutMs: number;

  /** Throws ConfigError for guards that aren't there or are in the wrong place. */
  constructor(config: GuardConfig) {
    const kinds = guardKinds(config.custom);
    this.#kinds = kinds;
    this.#timeoutMs = config.timeoutMs;
    const faults: string[] = [];
    const compile = (name: string, profile: GuardProfile): Profile => {
      const stage = (of: GuardStage) =>
        profile[of].flatMap((use, index) => {
          const kind = kinds.get(use.guard);
          const fault = faultOf(use, kind, of, [...kinds.keys()]);
          if (fault) faults.push(`guards.profiles.${name}.${of}.${index}: ${fault}`);
          return kind ? [withDefaults(use, kind, config.timeoutMs)] : [];
        });
      const guards = { input: stage('input'), output: stage('output') };
      const { onBlock, refusal } = profile;
      return { name, guards, onBlock, refusal, repairs: guards.output.find(isRepairing) ?? null };
    };
    const given = Object.entries(profilesOf(config));
    this.#profiles = new Map(given.map(([name, profile]) => [name, compile(name, profile)]));
    this.#fallback = config.profile;
    if (config.profile !== NO_PROFILE && !this.#profiles.has(config.profile))
      faults.push(
        `guards.profile: no profile ${JSON.stringify(config.profile)}; there are ${this.names.join(', ')}`,
      );
    if (faults.length > 0) throw new ConfigError(faults);
  }

  /** A guard outside of all profiles. */
  single(use: GuardUse): ProfileGuard {
    return withDefaults(use, this.#kinds.get(use.guard)!, this.#timeoutMs);
  }

  get names(): string[] {
    return [NO_PROFILE, ...this.#profiles.keys()];
  }

  list(): Profile[] {
    return [...this.#profiles.values()];
  }

  /**
   * The guards of a request: those of its key, or else of everyone, and beside them those that the client asks for, which can
   * only make it stricter. Null: none. Throws guard_failed where the key's profile is gone, and invalid_value.
   */
  of(keyProfile: string | null, wish: string | null): Profile | null {
    const base = this.#find(keyProfile ?? this.#fallback);
    if (base === undefined) {
      const message = `The guard profile ${JSON.stringify(keyProfile)} of this key isn't configured.`;
      throw new SluiceError('guard_failed', message);
    }
    if (wish === null) return base;
    const wished = this.#find(wish);
    if (wished === undefined) {
      const message = `There is no guard profile ${JSON.stringify(wish)}.`;
      throw new SluiceError('invalid_value', message, { param: 'guards' });
    }
    if (base === null || wished === null || base === wished) return base ?? wished;
    return this.#both(base, wished);
  }

  #find(name: string): Profile | null | undefined {
    return name === NO_PROFILE ? null : this.#profiles.get(name);
  }

  #both(base: Profile, wished: Profile): Profile {
    const name = `${base.name}+${wished.name}`;
    const known = this.#combined.get(name);
    if (known) return known;
    const guards = {
      input: [...base.guards.input, ...wished.guards.input],
      output: [...base.guards.output, ...wished.guards.output],
    };
    const repairs = base.repairs ?? wished.repairs;
    const combined = { ...base, name, guards, repairs };
    this.#combined.set(name, combined);
    return combined;
  }
}

function withDefaults(use: GuardUse, kind: GuardKind, timeoutMs: number): ProfileGuard {
  const filled = { ...use, mode: use.mode ?? kind.mode, origins: use.origins ?? [...kind.origins] };
  return { use: filled, kind, timeoutMs: use.timeoutMs ?? kind.timeoutMs ?? timeoutMs };
}

function faultOf(
  use: GuardUse,
  kind: GuardKind | undefined,
  stage: GuardStage,
  names: readonly string[],
): string | null {
  if (!kind) return `no guard ${JSON.stringify(use.guard)}; there are ${names.join(', ')}`;
  const slow = slowOptions[kind.cost];
  if (slow && !slow.schema.safeParse(use.options).success) return slow.fault;
  if (stage === 'input' && isOfAnswers(use)) return `its task ${use.options.task} is for output`;
  if (!kind.stages.includes(stage)) return `the guard ${use.guard} isn't for ${stage}`;
  return null;
}

/** Of guards with tasks: one that compares an answer with something. */
function isOfAnswers({ options }: GuardUse): boolean {
  return options.task === 'grounding' || options.task === 'consistency';
}
