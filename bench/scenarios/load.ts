import { z } from 'zod';
import { SluiceError } from '../../src/errors.js';
import { createClient, protocols } from '../client/create.js';
import { servedModel } from '../client/served-model.js';
import type { RequestTrace } from '../client/types.js';
import { summarise } from '../measure.js';
import { readCpu, usageBetween } from '../servers/cpu-meter.js';
import { poissonArrivalsMs } from '../workload/arrivals.js';
import { parseLengths } from '../workload/lengths.js';
import { createPrompts } from '../workload/prompts.js';
import { deriveSeed, seededRandom } from '../workload/random.js';
import { type LoadShape, runLoad } from '../workload/run-load.js';
import type { Outcome, Progress } from './outcome.js';

const lengths = z.string().transform((text, context) => {
  try {
    return parseLengths(text);
  } catch (error) {
    context.addIssue({ code: 'custom', message: (error as Error).message });
    return z.NEVER;
  }
});

const count = (max: number) => z.coerce.number().int().min(1).max(max);

export const loadOptionsSchema = z.object({
  url: z.url(),
  protocol: z.enum(protocols),
  model: z.string().optional(),
  clients: count(4096),
  rate: z.coerce.number().gt(0).max(100_000).optional(),
  maxInFlight: count(65_536),
  requests: count(1_000_000),
  durationSeconds: z.coerce.number().gt(0).max(86_400),
  warmup: z.coerce.number().int().min(0).max(10_000),
  promptTokens: lengths,
  outputTokens: lengths,
  sharedTokens: z.coerce.number().int().min(0).max(1_000_000),
  promptForm: z.enum(['tokens', 'text']),
  tokenRange: z
    .string()
    .regex(/^\d+-\d+$/, 'write it as low-high')
    .transform((text) => ({ low: Number(text.split('-')[0]), high: Number(text.split('-')[1]) }))
    .refine(({ low, high }) => low <= high, 'its low end is above its high end'),
  seed: z.coerce
    .number()
    .int()
    .min(0)
    .max(2 ** 32 - 1),
  sloTtftMs: z.coerce.number().gt(0),
  sloTpotMs: z.coerce.number().gt(0),
  timeoutSeconds: z.coerce.number().gt(0).max(3600),
  pid: count(2 ** 22).optional(),
});

type LoadOptions = z.output<typeof loadOptionsSchema>;

const WARM_UP_STREAM = 0x5eed;
const ARRIVAL_STREAM = 0xa11;

/** Loads a server that runs already. */
export async function load(
  options: LoadOptions,
  apiKey: string | null,
  progress: Progress,
): Promise<Outcome> {
  const generations = options.rate === undefined ? options.clients : options.maxInFlight;
  const timeoutMs = options.timeoutSeconds * 1000;
  const model = options.model ?? (await servedModel(options.url, apiKey, timeoutMs)) ?? 'default';
  const client = await createClient({ ...options, model, apiKey, generations, timeoutMs });
  try {
    progress(`warming up: ${options.warmup} requests`);
    const { traces } = await generateAll(client, options, deriveSeed(options.seed, WARM_UP_STREAM), {
      shape: { kind: 'closed', clients: Math.min(generations, Math.max(options.warmup, 1)) },
      requests: options.warmup,
      durationMs: Number.POSITIVE_INFINITY,
    });
    refuseDeaf(options.url, traces);
    progress('measuring');
    const before = options.pid === undefined ? null : await readCpu(options.pid);
    const result = await generateAll(client, options, options.seed, {
      shape: loadShape(options),
      requests: options.requests,
      durationMs: options.durationSeconds * 1000,
    });
    const after = options.pid === undefined ? null : await readCpu(options.pid);
    const summary = summarise(result, { ttftMs: options.sloTtftMs, tpotMs: options.sloTpotMs });
    const usage = before === null || after === null ? null : usageBetween(before, after);
    return {
      scenario: 'load',
      options: describe({ ...options, model }),
      runs: [
        {
          server: options.protocol,
          serverVersion: null,
          commandLine: null,
          workload: 'load',
          round: 1,
          purpose: 'measure',
          summary,
          usage,
        },
      ],
      comparisons: [],
      figures: [],
    };
  } finally {
    client.close();
  }
}

/** Nothing but failures would be measured. */
function refuseDeaf(url: string, traces: readonly RequestTrace[]): void {
  const error = traces[0]?.error;
  if (!error || traces.some(({ outcome }) => outcome !== 'failed')) return;
  throw new SluiceError(
    'upstream_failed',
    `No warm-up request was answered by ${url}: ${error}. ` +
      'See --protocol, --prompt-form (prompts are token ids by default) and --model; a key goes into SLUICE_API_KEY.',
  );
}

function generateAll(
  client: Awaited<ReturnType<typeof createClient>>,
  options: LoadOptions,
  seed: number,
  load: Parameters<typeof runLoad>[2],
) {
  const prompts = createPrompts({
    seed,
    form: options.promptForm,
    lengths: options.promptTokens,
    outputLengths: options.outputTokens,
    sharedTokens: options.sharedTokens,
    tokenRange: options.tokenRange,
  });
  return runLoad(client, (index) => ({ ...prompts(index), cancel: null }), load);
}

function loadShape(options: LoadOptions): LoadShape {
  if (options.rate === undefined) return { kind: 'closed', clients: options.clients };
  const random = seededRandom(deriveSeed(options.seed, ARRIVAL_STREAM));
  return {
    kind: 'open',
    arrivalsMs: poissonArrivalsMs(options.rate, random),
    maxInFlight: options.maxInFlight,
  };
}

/** For the report: the server's address is nobody else's business. */
function describe(options: LoadOptions): Outcome['options'] {
  const { url: _url, pid: _pid, ...rest } = options;
  return Object.fromEntries(
    Object.entries(rest).map(([name, value]) => [
      name,
      typeof value === 'object' && value ? JSON.stringify(value) : value,
    ]),
  ) as Outcome['options'];
}
