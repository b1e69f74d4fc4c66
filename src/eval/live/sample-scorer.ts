import { z } from 'zod';
import type { Caller } from '../../auth/caller.js';
import { ConfigError, type EvaluationConfig } from '../../config/index.js';
import type { ValidatedRequest } from '../../generation/types.js';
import { ruleQuality } from '../../routing/quality/rules.js';
import { prefer } from '../judge/prefer.js';
import type { CaseScorer } from '../run/trial.js';
import type { NamedScore } from '../run/types.js';
import { createScorer } from '../score/create.js';
import { wordF1 } from '../score/overlap.js';
import { type Score, score, unknownScore } from '../score/scorer.js';
import { weightedMean } from '../score/weighted-mean.js';
import { type ScorerSpec, scorerSpec } from '../suite/schema.js';
import { type EvalCase, needsExpected, textOf } from '../suite/suite.js';
import type { Endpoint } from '../target/endpoint.js';
import { EvalTarget } from '../target/target.js';
import { boundsOf } from './question.js';
import type { Exchange } from './sample.js';

/** Behind everything that users wait for. */
const LEAST_PRIORITY = { priority: 9 };

/**
 * Throws ConfigError where a scorer isn't one, needs an expected answer, which live requests don't have, or a judge or criteria that
 * aren't there.
 */
export async function liveScorers({ scorers, judge, criteria }: EvaluationConfig): Promise<CaseScorer[]> {
  const made = await Promise.all(
    scorers.map(async (given, index) => {
      const fault = (message: string) => new ConfigError([`evaluation.scorers.${index}: ${message}`]);
      const parsed = scorerSpec.safeParse(given);
      if (!parsed.success) throw fault(z.prettifyError(parsed.error));
      const spec = parsed.data;
      if (needsExpected(spec) || spec.type === 'custom')
        throw fault(
          `${spec.type} isn't possible for live requests${spec.type === 'custom' ? '' : ' without an expected answer'}`,
        );
      if (spec.type === 'judge' && (judge === '' || spec.criteria === undefined))
        throw fault('judge needs criteria here, and evaluation.judge');
      return {
        spec,
        score: await createScorer(spec, '.').catch((error: Error) => Promise.reject(fault(error.message))),
      };
    }),
  );
  if (judge === '') return made;
  if (criteria.length > 0) {
    const spec: ScorerSpec = { type: 'judge', criteria, weight: 1 };
    return [...made, { spec, score: await createScorer(spec, '.') }];
  }
  if (made.some(({ spec }) => spec.type === 'judge')) return made;
  throw new ConfigError(['evaluation.criteria: a judge needs at least one to go by']);
}

type Asked = Pick<ValidatedRequest, 'caller' | 'input' | 'constraint' | 'maxTokens'>;

export interface SampleScorerOptions {
  scorers: readonly CaseScorer[];
  judge: string; // '' none
  /** The way to the models, as one of the asker's tenant and guarded as the asker is. */
  endpointFor: (asker: Caller) => Endpoint;
}

export interface ScoredExchange {
  scores: NamedScore[];
  /**
   * Mean over the rules and the scorers by their weights; null where one couldn't tell. How a cached answer compares with a fresh one
   * isn't part of it: that is about the cache.
   */
  score: number | null;
}

/** Scores one exchange: the rules first, then what was configured, each on its own. What fails is a score that is unknown. */
export class SampleScorer {
  readonly #options: SampleScorerOptions;

  constructor(options: SampleScorerOptions) {
    this.#options = options;
  }

  async score(exchange: Exchange, request: Asked, signal: AbortSignal): Promise<ScoredExchange> {
    const { scorers, judge, endpointFor } = this.#options;
    const endpoint = endpointFor(request.caller);
    const target = new EvalTarget(endpoint, exchange.model, LEAST_PRIORITY);
    const judges = judge === '' ? [] : [new EvalTarget(endpoint, judge, LEAST_PRIORITY)];
    const subject = subjectOf(exchange);
    const parts = [{ name: 'rules', weight: 1, ...byRules(exchange, request) }];
    for (const { spec, score } of scorers) {
      if (spec.type === 'perplexity' && exchange.question.mode === 'chat') continue; // no chat has prompt log-probabilities
      const made =
        exchange.finishReason === 'tool_calls'
          ? unknownScore('a call of tools is no text')
          : await attempt(() => score({ subject, answer: exchange.answer, target, judges, signal }));
      parts.push({ name: spec.name ?? spec.type, weight: spec.weight, ...made });
    }
    const ofCache = exchange.cacheLevel === 'l3' ? await besideFresh(exchange, target, judges, signal) : [];
    return {
      scores: [...parts.map(({ name, value, detail }) => ({ name, value, detail })), ...ofCache],
      score: weightedMean(parts),
    };
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

/** A cached answer beside the one that the model gives now: how far their words are the same, and whether a judge would rather have the fresh one. */
async function besideFresh(
  exchange: Exchange,
  target: EvalTarget,
  judges: readonly EvalTarget[],
  signal: AbortSignal,
): Promise<NamedScore[]> {
  const { question, answer } = exchange;
  const params = { temperature: 0, ...boundsOf(exchange) };
  let fresh = '';
  const overlap = await attempt(async () => {
    fresh = (await target.answer(question, params, signal)).text;
    return score(wordF1(answer, fresh));
  });
  const [judge] = judges;
  if (overlap.value === null || !judge) return [{ name: 'cache_overlap', ...overlap }];
  const preferred = await attempt(async () => {
    const pair = { question: textOf(question), a: answer, b: fresh, criteria: [] };
    const preference = await prefer(judge, pair, signal);
    return preference === 'unreadable' ? unknownScore('no readable verdict') : score(preference !== 'b');
  });
  return [
    { name: 'cache', ...preferred },
    { name: 'cache_overlap', ...overlap },
  ];
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
