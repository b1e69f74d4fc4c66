import { z } from 'zod';
import type { Caller } from '../../auth/caller.js';
import { ConfigError, type EvaluationConfig } from '../../config/index.js';
import type { ValidatedRequest } from '../../generation/types.js';
import { ruleQuality } from '../../routing/quality/rules.js';
import type { CaseScorer } from '../run/trial.js';
import type { NamedScore } from '../run/types.js';
import { createScorer } from '../score/create.js';
import { type Score, score, unknownScore } from '../score/scorer.js';
import { type ScorerSpec, scorerSpec } from '../suite/schema.js';
import type { EvalCase } from '../suite/suite.js';
import type { Endpoint } from '../target/endpoint.js';
import { EvalTarget } from '../target/target.js';
import type { Exchange } from './sample.js';

/** Behind everything that users wait for. */
const LEAST_PRIORITY = { priority: 9 };
const NEED_EXPECTED = ['exact', 'normalised', 'number', 'f1', 'rouge', 'embedding', 'choice', 'custom'];

/** Throws ConfigError where a scorer isn't one, or needs an expected answer: live requests have none. */
export async function liveScorers({ scorers, judge, criteria }: EvaluationConfig): Promise<CaseScorer[]> {
  const made = await Promise.all(
    scorers.map(async (given, index) => {
      const fault = (message: string) => new ConfigError([`evaluation.scorers.${index}: ${message}`]);
      const parsed = scorerSpec.safeParse(given);
      if (!parsed.success) throw fault(z.prettifyError(parsed.error));
      const spec = parsed.data;
      if (NEED_EXPECTED.includes(spec.type)) throw fault(`${spec.type} isn't possible for live requests`);
      return {
        spec,
        score: await createScorer(spec, '.').catch((error: Error) => Promise.reject(fault(error.message))),
      };
    }),
  );
  const judging: ScorerSpec = { type: 'judge', criteria, weight: 1 };
  return judge === '' || criteria.length === 0
    ? made
    : [...made, { spec: judging, score: await createScorer(judging, '.') }];
}

type Asked = Pick<ValidatedRequest, 'caller' | 'input' | 'constraint' | 'maxTokens'>;

export interface SampleScorerOptions {
  scorers: readonly CaseScorer[];
  judge: string; // '' none
  /** The way to the models, as one of the asker's tenant and guarded as the asker is. */
  endpointFor: (asker: Caller) => Endpoint;
}

/** Scores one exchange: the rules first, then what was configured, each on its own. What fails is a score that is unknown. */
export class SampleScorer {
  readonly #options: SampleScorerOptions;

  constructor(options: SampleScorerOptions) {
    this.#options = options;
  }

  async score(exchange: Exchange, request: Asked, signal: AbortSignal): Promise<NamedScore[]> {
    const { scorers, judge, endpointFor } = this.#options;
    const endpoint = endpointFor(request.caller);
    const target = new EvalTarget(endpoint, exchange.model, LEAST_PRIORITY);
    const judges = judge === '' ? [] : [new EvalTarget(endpoint, judge, LEAST_PRIORITY)];
    const subject = subjectOf(exchange);
    const scores: NamedScore[] = [{ name: 'rules', ...byRules(exchange, request) }];
    for (const { spec, score } of scorers) {
      const needsPrompt = spec.type === 'perplexity' && exchange.question.mode === 'chat';
      const made = needsPrompt
        ? unknownScore('chats have no prompt log-probabilities')
        : await attempt(() => score({ subject, answer: exchange.answer, target, judges, signal }));
      scores.push({ name: spec.name ?? spec.type, ...made });
    }
    if (exchange.cacheLevel === 'l3') {
      const made = await attempt(() => likeFresh(exchange, target, signal));
      scores.push({ name: 'cache', ...made });
    }
    return scores;
  }
}

function byRules({ answer, finishReason }: Exchange, request: Asked): Score {
  return score(
    ruleQuality(
      { text: answer, logprobs: [], hasToolCalls: finishReason === 'tool_calls', finishReason },
      request,
    ),
  );
}

/** A cached answer against the one that the model gives now. */
async function likeFresh(exchange: Exchange, target: EvalTarget, signal: AbortSignal): Promise<Score> {
  const params = {
    temperature: 0,
    ...(exchange.maxTokens === null ? {} : { max_tokens: exchange.maxTokens }),
  };
  const fresh = await target.answer(exchange.question, params, signal);
  const compare = await createScorer({ type: 'f1', weight: 1 }, '.');
  const subject = { ...subjectOf(exchange), expected: [fresh.text] };
  return await compare({ subject, answer: exchange.answer, target, judges: [], signal });
}

async function attempt(work: () => Score | Promise<Score>): Promise<Score> {
  try {
    return await work();
  } catch (error) {
    return unknownScore((error as Error).message);
  }
}

function subjectOf({ requestId, question }: Exchange): EvalCase {
  return {
    id: requestId,
    tags: [],
    question,
    expected: [],
    choices: [],
    criteria: [],
    scorers: [],
    params: {},
    repeats: 1,
    threshold: 0.7,
    vars: {},
  };
}
