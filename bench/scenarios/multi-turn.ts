import { basename } from 'node:path';
import { z } from 'zod';
import { engineSchema } from '../../src/config/engine-schema.js';
import { llamaServerDefaults } from '../servers/llama-server.js';
import type { PeerSetup } from '../servers/peers.js';
import {
  type ConversationOptions,
  createConversations,
  idealCachedTokens,
  promptTokens,
} from '../workload/conversations.js';
import { runLoad } from '../workload/run-load.js';
import { atLeast, figure, type Outcome, type Progress } from './outcome.js';
import { peerOptionsSchema, prepareSetup } from './peer-options.js';
import { TOKEN_RANGE, withPeer } from './turn.js';

const FIRST_TOKENS = 160;
const TURN_TOKENS = 96;
const OUTPUT_TOKENS = 8;
const PAGE_SIZE = engineSchema.parse({}).pageSize;
const BYTES_PER_TOKEN = 18 * 2 * 256 * 2; // of the default model; a larger one gets a smaller pool
const DURATION_MS = 3_600_000;

export const multiTurnOptionsSchema = peerOptionsSchema.extend({
  conversations: z.coerce.number().int().min(2).max(10_000),
  turns: z.coerce.number().int().min(2).max(100),
  clients: z.coerce.number().int().min(1).max(256),
  poolShare: z.coerce.number().gt(0).max(1),
});

type Options = z.output<typeof multiTurnOptionsSchema>;

interface Measured {
  hitShare: number; // of the prompt tokens that a cache without bounds would have had
  wallSeconds: number;
}

/** Conversations that take turns, and together outgrow the pool: how much of their past is found again. */
export async function multiTurn(options: Options, progress: Progress): Promise<Outcome> {
  const setup = await prepareSetup(options, ['sluice']);
  const { conversations, turns, clients, poolShare, threads, seed } = options;
  if (clients >= conversations)
    throw new RangeError('A conversation takes its turns one after the other: use fewer clients.');
  const pool = await measure(options, setup, 0);
  progress(`pool alone: ${(pool.hitShare * 100).toFixed(1)} % of the ideal`);
  const host = await measure(options, setup, 2 * totalBytes(options));
  progress(`with host memory: ${(host.hitShare * 100).toFixed(1)} % of the ideal`);
  return {
    scenario: 'multi-turn',
    options: { model: basename(setup.modelPath), conversations, turns, clients, poolShare, threads, seed },
    runs: [],
    comparisons: [],
    figures: [
      figure('pool alone: prefix hits', pool.hitShare * 100, '% of an infinite cache'),
      figure('with host memory: prefix hits', host.hitShare * 100, '% of an infinite cache', atLeast(90)),
      figure('pool alone: time', pool.wallSeconds, 's'),
      figure('with host memory: time', host.wallSeconds, 's'),
    ],
  };
}

async function measure(options: Options, setup: PeerSetup, kvHostBytes: number): Promise<Measured> {
  const trace = traceOf(options);
  const requests = options.conversations * options.turns;
  const capacity = {
    sequences: options.clients,
    tokensPerSequence: promptTokens(trace, requests - 1) + OUTPUT_TOKENS,
    kvBytes: Math.ceil(totalBytes(options) * options.poolShare),
    kvHostBytes,
  };
  const prompts = createConversations(trace);
  return withPeer('sluice', setup, capacity, llamaServerDefaults, async (_server, client) => {
    const { traces, wallMs } = await runLoad(client, (index) => ({ ...prompts(index), cancel: null }), {
      shape: { kind: 'closed', clients: options.clients },
      requests,
      durationMs: DURATION_MS,
    });
    const failed = traces.find(({ outcome }) => outcome !== 'finished');
    if (failed !== undefined) throw new Error(`A request failed: ${failed.error}.`);
    const cached = traces.reduce((sum, { cachedTokens }) => sum + (cachedTokens ?? 0), 0);
    return { hitShare: cached / idealCachedTokens(trace, requests, PAGE_SIZE), wallSeconds: wallMs / 1000 };
  });
}

/** KV of all conversations at their ends. */
function totalBytes(options: Options): number {
  const last = options.conversations * options.turns - 1;
  return options.conversations * promptTokens(traceOf(options), last) * BYTES_PER_TOKEN;
}

function traceOf({ seed, conversations }: Options): ConversationOptions {
  return {
    seed,
    conversations,
    firstTokens: FIRST_TOKENS,
    turnTokens: TURN_TOKENS,
    outputTokens: OUTPUT_TOKENS,
    tokenRange: TOKEN_RANGE,
  };
}
