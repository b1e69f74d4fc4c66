import { setTimeout as delay } from 'node:timers/promises';
import { z } from 'zod';
import { anonymousCaller } from '../../src/auth/index.js';
import { resolveConfig } from '../../src/config/index.js';
import { greedySampling } from '../../src/engine/prompt-only.js';
import type { GenerationEvent, ValidatedRequest } from '../../src/generation/types.js';
import { type Answer, Guards } from '../../src/guards/guards.js';
import { createLog } from '../../src/telemetry/log.js';
import { Metrics } from '../../src/telemetry/metrics.js';
import { untraced } from '../../src/telemetry/trace.js';
import { findIn, openGuard } from '../guards/bare-guard.js';
import { PRESIDIO_VERSION, runPresidio } from '../guards/peers/presidio.js';
import { openProbe } from '../guards/score-probe.js';
import { readSet } from '../guards/sets.js';
import { median, percentile } from '../statistics.js';
import { poissonArrivalsMs } from '../workload/arrivals.js';
import { seededRandom } from '../workload/random.js';
import { atLeast, atMost, type Figure, figure, type Outcome, type Progress } from './outcome.js';

export const guardsOptionsSchema = z.object({
  seconds: z.coerce.number().min(1).max(600),
  rate: z.coerce.number().min(1).max(10_000),
  presidio: z.boolean().default(false),
  probe: z.boolean().default(false),
});

const SIZES = [1_000, 4_000]; // characters of a prompt
const PROMPTS = 200;
const WARM_UP_REQUESTS = 2_000;
const PROBED_PROMPTS = 50;
const ANSWERS = 20;
const TOKEN_CHARACTERS = 4;
const NOTHING = { promptTokens: 0, completionTokens: 0, cachedTokens: 0, nanodollars: null };

/** A profile that asks the threads for next to nothing: what it adds is the way to them and back. */
const IDLE = { input: [{ guard: 'keywords', options: { words: { none: ['zyzzogeton'] } } }] };

/**
 * What the shipped profile adds to a request whose model answers at once, at a steady rate of arrivals, and what of that is the way to the threads;
 * and by how many tokens it holds a stream back. Prompts are the harmless ones of the labelled sets, put together to a length.
 */
export async function guards(
  { seconds, rate, presidio, probe }: z.output<typeof guardsOptionsSchema>,
  progress: Progress,
): Promise<Outcome> {
  const figures: Figure[] = [];
  const guarded = openGuards('default');
  const idle = openGuards('idle');
  try {
    await Promise.all([guarded.warmUp(), idle.warmUp()]);
    for (const characters of SIZES) {
      const prompts = promptsOf(characters);
      await warmUp(guarded, prompts);
      progress(`${rate} requests a second of ${characters} characters`);
      const before = process.cpuUsage();
      const added = await arrivals(guarded, prompts, rate, seconds * 1000);
      const { user, system } = process.cpuUsage(before);
      figures.push(
        ...latencyFigures(`${characters} characters`, added),
        figure(`${characters} characters: CPU a request`, (user + system) / 1000 / added.length, 'ms'),
      );
      await warmUp(idle, prompts);
      figures.push(
        ...wayFigures(`${characters} characters`, await arrivals(idle, prompts, rate, seconds * 1000)),
      );
      if (presidio) figures.push(...(await presidioFigures(prompts, characters, progress)));
    }
    progress('tokens that a stream is held back');
    figures.push(...(await holdFigures(guarded)));
  } finally {
    await Promise.all([guarded.close(), idle.close()]);
  }
  if (probe) figures.push(...(await probeFigures(progress)));
  return {
    scenario: 'guards',
    options: { seconds, rate, presidio, probe },
    runs: [],
    comparisons: [],
    figures,
  };
}

function openGuards(profile: string): Guards {
  const config = resolveConfig([
    { path: 'guards.profiles', value: { idle: IDLE }, origin: 'bench' },
    { path: 'guards.profile', value: profile, origin: 'bench' },
    { path: 'guards.maxBlocks', value: 0, origin: 'bench' }, // whom it blocks isn't slowed down
  ]);
  return new Guards({
    config: config.guards,
    metrics: new Metrics({ processMetrics: false }).guards,
    log: createLog('silent'),
    nowMs: Date.now,
    vocabs: () => [],
    embedder: null,
    stateModel: null,
  });
}

function promptsOf(characters: number): string[] {
  const texts = readSet<{ text: string }>('benign').map(({ text }) => text);
  return Array.from({ length: PROMPTS }, (_, index) => {
    let prompt = '';
    for (let next = index; prompt.length < characters; next += PROMPTS + 1)
      prompt += `${texts[next % texts.length]!}\n`;
    return prompt.slice(0, characters);
  });
}

async function probeFigures(progress: Progress): Promise<Figure[]> {
  progress('what injection_probe takes');
  const isAttack = await openProbe();
  const figures: Figure[] = [];
  for (const characters of SIZES) {
    const times = await timesOf(promptsOf(characters).slice(0, PROBED_PROMPTS), isAttack);
    figures.push(figure(`injection_probe, ${characters} characters: median`, median(times), 'ms'));
  }
  return figures;
}

/** Milliseconds; one text at a time. */
async function timesOf(
  texts: readonly string[],
  look: (text: string) => Promise<unknown>,
): Promise<number[]> {
  const times: number[] = [];
  for (const text of texts) {
    const startedAt = performance.now();
    await look(text);
    times.push(performance.now() - startedAt);
  }
  return times;
}

async function warmUp(guarded: Guards, prompts: readonly string[]): Promise<void> {
  for (let index = 0; index < WARM_UP_REQUESTS; index += 1)
    await oneRequest(guarded, prompts[index % prompts.length]!);
}

async function arrivals(guarded: Guards, prompts: readonly string[], rate: number, durationMs: number) {
  const added: number[] = [];
  const running: Promise<void>[] = [];
  const startedAt = performance.now();
  for (const atMs of poissonArrivalsMs(rate, seededRandom(1))) {
    if (atMs > durationMs) break;
    const waitMs = startedAt + atMs - performance.now();
    if (waitMs > 0) await delay(waitMs);
    const prompt = prompts[running.length % prompts.length]!;
    running.push(oneRequest(guarded, prompt).then((ms) => void added.push(ms)));
  }
  await Promise.all(running);
  return added;
}

/** Milliseconds. A prompt that is blocked after all took its time too. */
async function oneRequest(guarded: Guards, prompt: string): Promise<number> {
  const startedAt = performance.now();
  await visit(
    guarded,
    prompt,
    () => Promise.resolve(NOTHING),
    () => undefined,
  ).catch(() => undefined);
  return performance.now() - startedAt;
}

function visit(guarded: Guards, prompt: string, answer: Answer, sink: (event: GenerationEvent) => void) {
  const { signal } = new AbortController();
  const ask = () => Promise.reject(new Error('there is no model'));
  const visitor = {
    request: requestOf(prompt),
    model: 'stub',
    sink,
    signal,
    report: { guardResult: null },
    ask,
    trace: untraced,
  };
  return guarded.guard(visitor, answer);
}

/** Each token waits until the one before has been looked at: what is still held then is held for what it says. */
async function holdFigures(guarded: Guards): Promise<Figure[]> {
  const held: number[] = [];
  for (const text of promptsOf(SIZES[1]!).slice(0, ANSWERS)) {
    const tokens = text.match(new RegExp(`[^]{1,${TOKEN_CHARACTERS}}`, 'g')) ?? [];
    let shown = 0;
    const answer: Answer = async (_, sink, __, passed) => {
      let said = 0;
      for (const token of tokens) {
        said += token.length;
        sink({ type: 'delta', choice: 0, text: token, message: null, tokens: [1], logprobs: null });
        await passed();
        held.push(Math.ceil((said - shown) / TOKEN_CHARACTERS));
      }
      sink({ type: 'done', choice: 0, finishReason: 'stop', stopSequence: null });
      return NOTHING;
    };
    await visit(guarded, 'Hello', answer, (event) => {
      if (event.type === 'delta') shown += event.text.length;
    });
  }
  const ascending = Float64Array.from(held).sort();
  return [
    figure('tokens held back, median', percentile(ascending, 0.5), 'tokens', atMost(1)),
    figure('tokens held back, p99', percentile(ascending, 0.99), 'tokens'),
  ];
}

/** Both in their own process, one text after the other: what finding personal data takes, without the way to it. */
async function presidioFigures(
  prompts: readonly string[],
  characters: number,
  progress: Progress,
): Promise<Figure[]> {
  const pii = await openGuard('pii');
  for (let index = 0; index < WARM_UP_REQUESTS; index += 1)
    await findIn(pii, prompts[index % prompts.length]!);
  const oursMs = median(await timesOf(prompts, (prompt) => findIn(pii, prompt)));
  progress(`Presidio ${PRESIDIO_VERSION} (installed where missing)`);
  const theirsMs = median((await runPresidio(prompts)).map(({ micros }) => micros)) / 1000;
  return [
    figure(`${characters} characters: the guard pii alone, median`, oursMs, 'ms'),
    figure(`${characters} characters: Presidio ${PRESIDIO_VERSION}, median`, theirsMs, 'ms'),
    figure(
      `${characters} characters: Presidio takes, times the guard pii`,
      theirsMs / oursMs,
      '×',
      atLeast(20),
    ),
  ];
}

function latencyFigures(name: string, added: readonly number[]): Figure[] {
  const ascending = Float64Array.from(added).sort();
  return [
    figure(`${name}: added, median`, percentile(ascending, 0.5), 'ms', atMost(1)),
    figure(`${name}: added, p99`, percentile(ascending, 0.99), 'ms', atMost(3)),
  ];
}

function wayFigures(name: string, added: readonly number[]): Figure[] {
  const ascending = Float64Array.from(added).sort();
  return [
    figure(`${name}: the way to a thread and back, median`, percentile(ascending, 0.5), 'ms'),
    figure(`${name}: the way to a thread and back, p99`, percentile(ascending, 0.99), 'ms'),
  ];
}

function requestOf(prompt: string): ValidatedRequest {
  return {
    id: 'bench',
    caller: anonymousCaller(false),
    tenant: 'default',
    user: null,
    model: null,
    routing: { fallbacks: [], maxNanodollars: null, qualityThreshold: null },
    input: { kind: 'text', prompts: [prompt], echo: false, promptLogprobs: -1 },
    choices: 1,
    maxTokens: null,
    sampling: { ...greedySampling, topLogprobs: -1 },
    explicit: { temperature: true, seed: false },
    constraint: null,
    trim: null,
    stop: [],
    priority: 1,
    deadlineMs: Number.POSITIVE_INFINITY,
    sessionId: null,
    prefixId: null,
    cachePrompt: true,
    cache: { use: false, reads: false, maxAgeSeconds: null, onlyIfCached: false, similar: false },
    stream: true,
  };
}
