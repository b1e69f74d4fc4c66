import { createClient } from '../client/create.js';
import type { LoadClient } from '../client/types.js';
import { type Summary, summarise } from '../measure.js';
import { readCpu, type ServerUsage, usageBetween } from '../servers/cpu-meter.js';
import type { LlamaServerSettings } from '../servers/llama-server.js';
import { type Capacity, type PeerName, type PeerSetup, startPeer } from '../servers/peers.js';
import type { ServerProcess } from '../servers/server.js';
import { createPrompts } from '../workload/prompts.js';
import { runLoad } from '../workload/run-load.js';
import type { Workload } from '../workload/workloads.js';

/** Ordinary tokens of any vocabulary measured here: control tokens come first, the rarest ones last. */
export const TOKEN_RANGE = { low: 1000, high: 20_000 };

const TIMEOUT_MS = 300_000;
const TURN_LIMIT_MS = 120_000; // a slow server starts no request later, and is measured on fewer
const WARM_UP = { requests: 8, promptTokens: 64, outputTokens: 8 };

/** A server of its own, warm, with a client; both are gone afterwards. */
export async function withPeer<T>(
  peer: PeerName,
  setup: PeerSetup,
  capacity: Capacity,
  settings: LlamaServerSettings,
  use: (server: ServerProcess, client: LoadClient) => Promise<T>,
): Promise<T> {
  const server = await startPeer(peer, setup, capacity, settings);
  try {
    const client = await createPeerClient(server, capacity.sequences);
    try {
      await warmUp(client, capacity.sequences);
      return await use(server, client);
    } finally {
      client.close();
    }
  } finally {
    await server.stop();
  }
}

/**
 * One turn of a workload: a fresh process, so that no turn profits from an earlier one's caches and no idle server
 * takes part of the CPU. Each (workload, round) has prompts of its own, the same for every peer.
 */
export function measureTurn(
  peer: PeerName,
  setup: PeerSetup,
  workload: Workload,
  seed: number,
  settings: LlamaServerSettings,
  level: { ttftMs: number; tpotMs: number },
): Promise<{ summary: Summary; usage: ServerUsage; commandLine: string }> {
  const capacity = {
    sequences: workload.clients,
    tokensPerSequence: workload.promptTokens + workload.outputTokens,
  };
  return withPeer(peer, setup, capacity, settings, async (server, client) => {
    const before = await readCpu(server.pid);
    const result = await runLoad(client, workloadPlan(workload, seed), {
      shape: { kind: 'closed', clients: workload.clients },
      requests: workload.requests,
      durationMs: TURN_LIMIT_MS,
    });
    const usage = usageBetween(before, await readCpu(server.pid));
    const summary = summarise(result, level);
    return { summary, usage, commandLine: server.commandLine };
  });
}

export function workloadPlan(
  workload: Pick<Workload, 'promptTokens' | 'outputTokens' | 'sharedTokens'>,
  seed: number,
) {
  const prompts = createPrompts({
    seed,
    form: 'tokens',
    lengths: { kind: 'fixed', tokens: workload.promptTokens },
    outputLengths: { kind: 'fixed', tokens: workload.outputTokens },
    sharedTokens: workload.sharedTokens,
    tokenRange: TOKEN_RANGE,
  });
  return (index: number) => ({ ...prompts(index), cancel: null });
}

async function createPeerClient(server: ServerProcess, generations: number): Promise<LoadClient> {
  const models = (await (await fetch(`${server.url}/v1/models`)).json()) as { data: { id: string }[] };
  return createClient({
    url: server.url,
    protocol: 'completions',
    model: models.data[0]!.id,
    apiKey: null,
    generations,
    timeoutMs: TIMEOUT_MS,
  });
}

/** Maps the model's pages and grows buffers. Its prompts share nothing with measured ones. */
async function warmUp(client: LoadClient, sequences: number): Promise<void> {
  const clients = Math.min(sequences, WARM_UP.requests);
  const { traces } = await runLoad(client, workloadPlan({ ...WARM_UP, sharedTokens: 0 }, 0xfeed), {
    shape: { kind: 'closed', clients },
    requests: WARM_UP.requests,
    durationMs: TIMEOUT_MS,
  });
  const failed = traces.find((trace) => trace.outcome !== 'finished');
  if (failed !== undefined) throw new Error(`The warm-up failed: ${failed.error}.`);
}
