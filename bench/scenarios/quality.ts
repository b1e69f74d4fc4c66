import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import {
  type CalibrationItem,
  calibrationExamples,
  calibrationSet,
} from '../../src/routing/quality/calibration-set.js';
import type { AnswerSample } from '../../src/routing/quality/estimator.js';
import { judgePrompt, qualityOf, VERDICT_GRAMMAR } from '../../src/routing/quality/judge.js';
import { featuresOf } from '../../src/routing/quality/logprob.js';
import { logistic } from '../../src/support/logistic.js';
import { projectRoot } from '../../src/support/root.js';
import { fitLogistic } from '../quality/fit.js';
import { areaUnderCurve, atThreshold, brierScore, type Judged } from '../quality/scores.js';
import { type Figure, figure, type Outcome, type Progress } from './outcome.js';

export const qualityOptionsSchema = z.object({
  url: z.url(),
  model: z.string().optional(),
  write: z.boolean().default(false),
});

type Options = z.output<typeof qualityOptionsSchema>;

const MAX_TOKENS = 24;
const THRESHOLD = 0.7;
/** Loops don't occur in answers this short, so their weight isn't fitted: half an answer repeated takes 0.9 to 0.3. */
const REPETITION_WEIGHT = -6;

interface Answered {
  features: [meanLogprob: number, leastLogprob: number];
  isGood: boolean;
  judged: number | null;
}

/** How well quality estimates tell right answers of a model from wrong ones; half of the set fits, the other half tests. */
export async function quality(options: Options, progress: Progress): Promise<Outcome> {
  const answers: Answered[] = [];
  for (const [index, item] of calibrationSet.entries()) {
    if (index % 20 === 0) progress(`${index} of ${calibrationSet.length} questions`);
    answers.push(await ask(options, item));
  }
  // Neighbours in the set are an easy one and a hard one of the same kind: pairs of them are dealt out in turn.
  const isTest = (index: number) => Math.floor(index / 2) % 2 === 1;
  const fitted = answers.filter((_, index) => !isTest(index));
  const tested = answers.filter((_, index) => isTest(index));
  const weights = fitLogistic(fitted);
  if (options.write) await writeCoefficients(weights);
  const byLogprob = tested.map(({ features, isGood }) => {
    const score = weights[0]! + weights[1]! * features[0] + weights[2]! * features[1];
    return { quality: logistic(score), isGood };
  });
  const byJudge = answers.flatMap(({ judged, isGood }) =>
    judged === null ? [] : [{ quality: judged, isGood }],
  );
  return {
    scenario: 'quality',
    options: { model: options.model ?? 'default', questions: calibrationSet.length },
    runs: [],
    comparisons: [],
    figures: [
      figure('answers that are right', share(answers), '%'),
      ...weights.map((weight, index) => figure(`weight of ${['1', 'mean', 'least'][index]}`, weight, '')),
      ...describe('log-probability', byLogprob),
      ...describe('judge', byJudge),
    ],
  };
}

function describe(name: string, judged: readonly Judged[]): Figure[] {
  const { kept, goodOfKept } = atThreshold(judged, THRESHOLD);
  return [
    figure(`${name}: answers tested`, judged.length, ''),
    figure(`${name}: of them right`, share(judged), '%'),
    figure(`${name}: area under the curve`, areaUnderCurve(judged), ''),
    figure(`${name}: Brier score`, brierScore(judged), ''),
    figure(`${name}: kept at ${THRESHOLD}`, kept * 100, '%'),
    figure(`${name}: right of those kept`, goodOfKept * 100, '%'),
  ];
}

function share(items: readonly { isGood: boolean }[]): number {
  return (100 * items.filter(({ isGood }) => isGood).length) / items.length;
}

const completion = z.object({
  choices: z
    .array(z.object({ text: z.string(), logprobs: z.object({ token_logprobs: z.array(z.number()) }) }))
    .length(1),
});

async function ask(options: Options, [question, ...accepted]: CalibrationItem): Promise<Answered> {
  const prompt = `${calibrationExamples}\nQ: ${question}\nA:`;
  const body = { prompt, max_tokens: MAX_TOKENS, temperature: 0, stop: ['\n'], logprobs: 0 };
  const [choice] = completion.parse(await post(options, '/v1/completions', body)).choices;
  const { text, logprobs } = choice!;
  const sample: AnswerSample = {
    text,
    logprobs: logprobs.token_logprobs,
    hasToolCalls: false,
    finishReason: 'stop',
  };
  const { meanLogprob, leastLogprob } = featuresOf(sample) ?? { meanLogprob: 0, leastLogprob: 0 };
  return {
    features: [meanLogprob, leastLogprob],
    isGood: accepted.some((answer) => holds(text, answer)),
    judged: await judge(options, question, text),
  };
}

const verdict = z.object({
  choices: z
    .array(
      z.object({
        message: z.object({ content: z.string() }),
        logprobs: z.object({
          content: z.array(
            z.object({ top_logprobs: z.array(z.object({ token: z.string(), logprob: z.number() })) }),
          ),
        }),
      }),
    )
    .length(1),
});

async function judge(options: Options, question: string, answer: string): Promise<number | null> {
  const messages = [{ role: 'user', content: judgePrompt(question, answer) }];
  const body = {
    messages,
    max_tokens: 4,
    temperature: 0,
    grammar: VERDICT_GRAMMAR,
    logprobs: true,
    top_logprobs: 20,
  };
  const [choice] = verdict.parse(await post(options, '/v1/chat/completions', body)).choices;
  const firstToken = choice!.logprobs.content[0]?.top_logprobs.map(({ token, logprob }) => ({
    text: token,
    logprob,
  }));
  return qualityOf({ text: choice!.message.content, firstToken: firstToken ?? null });
}

function holds(text: string, answer: string): boolean {
  const escaped = answer.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
  return new RegExp(`(^|[^\\p{L}\\p{N}])${escaped}($|[^\\p{L}\\p{N}])`, 'iu').test(text);
}

async function post({ url, model }: Options, path: string, body: object): Promise<unknown> {
  const response = await fetch(new URL(path, url), {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ ...(model === undefined ? {} : { model }), ...body }),
  });
  if (!response.ok) throw new Error(`${path} answered ${response.status}: ${await response.text()}`);
  return response.json();
}

async function writeCoefficients(weights: readonly number[]): Promise<void> {
  const [intercept, meanLogprob, leastLogprob] = weights.map((weight) => Number(weight.toPrecision(4)));
  const text = `import type { Coefficients } from './logprob.js';

/** Written by \`sluice bench quality --write\`; docs/routing.md says how well they do. */
export const coefficients: Coefficients = {
  intercept: ${intercept},
  meanLogprob: ${meanLogprob},
  leastLogprob: ${leastLogprob},
  repetition: ${REPETITION_WEIGHT},
};
`;
  await writeFile(join(projectRoot(), 'src', 'routing', 'quality', 'calibration.ts'), text);
}
