import type {
  CustomGuard,
  GuardConfig,
  GuardMode,
  GuardProfile,
  GuardStage,
  GuardUse,
  TextOrigin,
} from '../config/index.js';
import { CERTAIN_BY_WORDS } from './detect/injection/certain.js';
import type { CostClass, StreamUnit } from './types.js';

/** What is known of a guard before it is loaded. */
export interface GuardKind {
  summary: string;
  stages: readonly GuardStage[];
  cost: CostClass;
  unit: StreamUnit;
  /** Where a profile says nothing else. */
  mode: GuardMode;
  origins: readonly TextOrigin[];
  timeoutMs?: number; // absent: that of the configuration
  /** Of output: it compares the answer with what it was made from. */
  readsSources?: boolean;
}

const untrusted: readonly TextOrigin[] = ['user', 'tool', 'tool_call'];
const everyones: readonly TextOrigin[] = ['user', 'assistant', 'tool', 'tool_call'];
const both: readonly GuardStage[] = ['input', 'output'];

const builtIn: Readonly<Record<string, GuardKind>> = {
  template_tokens: {
    summary: 'marks with which chat templates set roles apart are made ordinary text',
    stages: ['input'],
    cost: 'inline',
    unit: 'span',
    mode: 'redact',
    origins: everyones,
  },
  injection: {
    summary: 'prompt injection and jailbreaks, by phrases and a classifier',
    stages: ['input'],
    cost: 'scan',
    unit: 'sentence',
    mode: 'block',
    origins: untrusted,
  },
  injection_probe: {
    summary: "prompt injection and jailbreaks, as a language model's middle layers tell them",
    stages: ['input'],
    cost: 'probe',
    unit: 'sentence',
    mode: 'block',
    origins: untrusted,
    timeoutMs: 20_000,
  },
  pii: {
    summary: 'personal data: e-mail, phone, cards, IBAN, national ids, IP, dates of birth, addresses',
    stages: both,
    cost: 'scan',
    unit: 'span',
    mode: 'redact',
    origins: everyones,
  },
  secrets: {
    summary: 'API keys, cloud tokens, JWT, private keys, passwords',
    stages: both,
    cost: 'scan',
    unit: 'span',
    mode: 'redact',
    origins: everyones,
  },
  moderation: {
    summary: 'harmful content, in the 13 categories of OpenAI',
    stages: both,
    cost: 'scan',
    unit: 'sentence',
    mode: 'block',
    origins: everyones,
  },
  topics: {
    summary: 'what may be talked about: options.topics with their words, options.allow, options.deny',
    stages: ['input'],
    cost: 'scan',
    unit: 'sentence',
    mode: 'block',
    origins: ['user'],
  },
  canary: {
    summary: 'a mark in the system prompt; an answer that shows it is blocked',
    stages: ['output'],
    cost: 'scan',
    unit: 'span',
    mode: 'block',
    origins: everyones,
  },
  format: {
    summary: 'what an answer looks like: JSON schema, pattern, length, language, citations',
    stages: ['output'],
    cost: 'scan',
    unit: 'answer',
    mode: 'block',
    origins: everyones,
  },
  grounding: {
    summary: 'numbers and names that stand nowhere in what the answer was made from',
    stages: ['output'],
    cost: 'scan',
    unit: 'answer',
    mode: 'warn',
    origins: everyones,
    readsSources: true,
  },
  confidence: {
    summary: 'answers whose tokens the model itself found unlikely',
    stages: ['output'],
    cost: 'scan',
    unit: 'answer',
    mode: 'warn',
    origins: everyones,
  },
  similarity: {
    summary: 'nearness of meaning by embeddings: to known attacks, to topics, or of an answer to its sources',
    stages: both,
    cost: 'embedding',
    unit: 'answer',
    mode: 'block',
    origins: untrusted,
    readsSources: true,
  },
  language_model: {
    summary:
      'a served model that is asked: injection, grounding, names of people, consistency, or a Llama Guard',
    stages: both,
    cost: 'model',
    unit: 'answer',
    mode: 'block',
    origins: untrusted,
    readsSources: true,
  },
  keywords: {
    summary: 'words of your own: options.words, by category',
    stages: both,
    cost: 'scan',
    unit: 'span',
    mode: 'block',
    origins: everyones,
  },
  patterns: {
    summary: 'regular expressions of your own: options.patterns, by category',
    stages: both,
    cost: 'scan',
    unit: 'span',
    mode: 'block',
    origins: everyones,
  },
};

/** Every guard by its name: those built in, then the operator's. */
export function guardKinds(custom: readonly CustomGuard[]): ReadonlyMap<string, GuardKind> {
  return new Map([
    ...Object.entries(builtIn),
    ...custom.map((guard) => [guard.name, kindOf(guard)] as const),
  ]);
}

function kindOf({ module, webhook }: CustomGuard): GuardKind {
  const what = module ? `module ${module}` : webhook ? `webhook ${webhook.url}` : 'moderation endpoint';
  const cost = module ? 'custom' : 'network';
  return { summary: what, stages: both, cost, unit: 'answer', mode: 'block', origins: everyones };
}

export const NO_PROFILE = 'off';

const use = (guard: string, settings: Partial<GuardUse> = {}): GuardUse => {
  return { guard, modes: {}, onFailure: 'block', holdsSentences: false, options: {}, ...settings };
};

/** What /v1/moderations asks. */
export const moderationScores: GuardUse = use('moderation', { mode: 'block', options: { all: true } });

/** What texts lose that are kept beyond their request. */
export const keptTextGuards: readonly GuardUse[] = ['pii', 'secrets'].map((guard) =>
  use(guard, { mode: 'redact' }),
);

/** Of personal data it hides what a model has no use for, and gives it back in the answer. */
const shippedWith = (...injection: GuardUse[]): GuardProfile => ({
  input: [
    use('template_tokens'),
    ...injection,
    use('pii', { mode: 'reversible' }),
    use('secrets', { mode: 'redact' }),
  ],
  output: [use('secrets', { mode: 'redact' }), use('canary')],
  onBlock: 'error',
  refusal: '',
});

const DEFAULT_PROFILE = 'default';
/** Needs a model and time: it is there where it is everyone's. */
export const THOROUGH_PROFILE = 'thorough';

const thoroughProfile = shippedWith(
  use('injection', { threshold: CERTAIN_BY_WORDS }),
  use('injection_probe'),
);

/** Those shipped, and the configuration's, which may have the same names. */
export function profilesOf({ profile, profiles }: GuardConfig): Record<string, GuardProfile> {
  return {
    [DEFAULT_PROFILE]: shippedWith(use('injection')),
    ...(profile === THOROUGH_PROFILE ? { [THOROUGH_PROFILE]: thoroughProfile } : {}),
    ...profiles,
  };
}

/** Whether a profile has the guard. */
export function usesGuard(config: GuardConfig, name: string): boolean {
  return Object.values(profilesOf(config)).some(({ input, output }) =>
    [...input, ...output].some(({ guard }) => guard === name),
  );
}
