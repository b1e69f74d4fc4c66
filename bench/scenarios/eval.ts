import { join } from 'node:path';
import { z } from 'zod';
import { planTrials } from '../../src/eval/run/plan.js';
import { runTrials } from '../../src/eval/run/runner.js';
import type { Trial } from '../../src/eval/run/trial.js';
import type { TrialResult } from '../../src/eval/run/types.js';
import { loadSuite } from '../../src/eval/suite/load.js';
import { textOf } from '../../src/eval/suite/suite.js';
import type { Endpoint, EndpointReply } from '../../src/eval/target/endpoint.js';
import { HttpEndpoint } from '../../src/eval/target/http-endpoint.js';
import { EvalTarget } from '../../src/eval/target/target.js';
import { projectRoot } from '../../src/support/root.js';
import { type ChoiceDocument, lmEvalChoices } from '../servers/lm-eval.js';
import { freePort, ServerProcess } from '../servers/server.js';
import { median } from '../statistics.js';
import { atLeast, figure, type Outcome, type Progress } from './outcome.js';

export const evalOptionsSchema = z.object({
  model: z.string().default('gemma-3-270m'),
  suite: z.string().default(join(projectRoot(), 'examples', 'eval', 'base-model.jsonl')),
  rounds: z.coerce.number().int().min(1).max(100).default(3),
});

const CONCURRENCY = 64;
const START_TIMEOUT_MS = 300_000;
const REQUEST_TIMEOUT_MS = 600_000;
const WARM_UP = {
  prompt: 'Something else, so that the engine has made its first steps:',
  max_tokens: 32,
  ignore_eos: true,
};

/**
 * The suite through the batching engine and one prompt at a time, in turns, each on a fresh server; and its multiple choices as we and
 * as lm-evaluation-harness score them, on the same server.
 */
export async function evaluation(
  options: z.output<typeof evalOptionsSchema>,
  progress: Progress,
): Promise<Outcome> {
  const suite = await loadSuite(options.suite);
  const { trials } = await planTrials(suite, { seed: 1, tags: [], repeats: null });
  const { model, rounds } = options;
  const seconds = { together: [] as number[], oneByOne: [] as number[] };
  let results: TrialResult[] = [];
  for (let round = 1; round <= rounds; round += 1) {
    progress(`round ${round}`);
    const together = await onFreshServer(model, (endpoint) => timed(endpoint, model, trials, CONCURRENCY));
    const alone = await onFreshServer(model, (endpoint) =>
      timed(onePromptAtATime(endpoint), model, trials, 1),
    );
    seconds.together.push(together.seconds);
    seconds.oneByOne.push(alone.seconds);
    results = together.results;
  }
  const [fast, slow] = [median(seconds.together), median(seconds.oneByOne)];
  progress('lm-evaluation-harness');
  const choices = await onFreshServer(model, (_, url) =>
    compareChoices(trials, results, url, model, progress),
  );
  return {
    scenario: 'eval',
    options: { model, rounds, suite: suite.name, cases: trials.length },
    runs: [],
    comparisons: [],
    figures: [
      figure('errors', results.filter(({ status }) => status === 'error').length, ''),
      figure(`trials a second, ${CONCURRENCY} at once`, trials.length / fast, '1/s'),
      figure('trials a second, one by one', trials.length / slow, '1/s'),
      figure('throughput over one by one', slow / fast, '×', atLeast(3)),
      ...choices,
    ],
  };
}

/** As an evaluation without batching would ask: each of a request's prompts alone, after the one before. */
function onePromptAtATime(endpoint: Endpoint): Endpoint {
  return {
    post: async (path, body, signal): Promise<EndpointReply> => {
      const { prompt, ...rest } = body as { prompt?: unknown };
      if (!Array.isArray(prompt)) return await endpoint.post(path, body, signal);
      const choices: object[] = [];
      for (const [index, each] of prompt.entries()) {
        const reply = await endpoint.post(path, { ...rest, prompt: each }, signal);
        const [choice] = (reply.body as { choices: object[] }).choices;
        choices.push({ ...choice, index });
      }
      return { body: { choices }, latencyMs: 0, isKept: false };
    },
  };
}

async function onFreshServer<T>(
  model: string,
  work: (endpoint: Endpoint, url: string) => Promise<T>,
): Promise<T> {
  const server = await startSluice(model);
  try {
    const url = `${server.url}/v1`;
    const endpoint = new HttpEndpoint({ url, apiKey: null, timeoutMs: REQUEST_TIMEOUT_MS, retries: 0 });
    await endpoint.post('/completions', { model, ...WARM_UP }, new AbortController().signal);
    return await work(endpoint, server.url);
  } finally {
    await server.stop();
  }
}

async function timed(endpoint: Endpoint, model: string, trials: readonly Trial[], concurrency: number) {
  const startedAt = performance.now();
  const results = await runTrials({
    trials,
    target: new EvalTarget(endpoint, model),
    judges: [],
    concurrency,
    earlier: [],
    save: () => undefined,
    onProgress: () => undefined,
    signal: new AbortController().signal,
  });
  return { results, seconds: (performance.now() - startedAt) / 1000 };
}

async function compareChoices(
  trials: readonly Trial[],
  results: readonly TrialResult[],
  url: string,
  model: string,
  progress: Progress,
) {
  const asked = trials.flatMap((trial, index) =>
    trial.subject.choices.length > 0 ? [{ document: documentOf(trial), result: results[index]! }] : [],
  );
  const harness = await lmEvalChoices(
    url,
    model,
    asked.map(({ document }) => document),
    progress,
  );
  const ours = asked.map(({ result }) => result.score === 1);
  const theirs = asked.map(({ document }, index) => harness.picks[index] === document.gold);
  const share = (flags: readonly boolean[]) => (100 * flags.filter(Boolean).length) / flags.length;
  return [
    figure('choices', asked.length, ''),
    figure('accuracy on the choices', share(ours), '%'),
    figure('accuracy by lm-evaluation-harness', 100 * harness.accuracy, '%'),
    figure(
      'choices that only one has right',
      ours.filter((right, index) => right !== theirs[index]).length,
      '',
    ),
  ];
}

function documentOf({ subject }: Trial): ChoiceDocument {
  const { question, choices, expected } = subject;
  return { query: textOf(question), choices, gold: choices.indexOf(expected[0]!) };
}

async function startSluice(model: string): Promise<ServerProcess> {
  const port = await freePort();
  return await ServerProcess.start(port, {
    name: 'sluice',
    file: process.execPath,
    args: [join(projectRoot(), 'bin', 'sluice'), 'serve', '--port', String(port), '--model', model],
    env: {
      SLUICE_LOG_LEVEL: 'warn',
      SLUICE_EVALUATION_SHARE: '0',
      SLUICE_CACHE_ENABLED: 'false', // what is measured has to be computed
    },
    readyPath: '/readyz',
    startTimeoutMs: START_TIMEOUT_MS,
  });
}
