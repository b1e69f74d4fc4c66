import { once } from 'node:events';
import { request } from 'node:http';
import { WorkerRole } from '../../src/cluster/worker/role.js';
import { resolveConfig } from '../../src/config/index.js';
import { createLog } from '../../src/telemetry/log.js';
import { type BenchRedis, startGateway } from './processes.js';
import { MODEL, noText, SteppingEngine } from './stepping-engine.js';

/** Says when it is told that nobody wants an answer any more. */
class CancelledEngine extends SteppingEngine {
  onCancel: () => void = () => undefined;

  override cancel(id: string): void {
    this.onCancel();
    super.cancel(id);
  }
}

/** Milliseconds from a client's hanging up in mid-stream to its worker's engine being told, for each of so many. */
export async function cancelTimes(redis: BenchRedis, stepMs: number, count: number): Promise<number[]> {
  const config = resolveConfig([{ path: 'redis.url', value: redis.url, origin: 'bench' }]);
  const engine = new CancelledEngine(stepMs);
  const served = { id: MODEL, revision: '1', engine, text: noText };
  const worker = await WorkerRole.open({ config, served, log: createLog('warn') }); // here, so that one clock is read
  const gateway = await startGateway(redis);
  const times: number[] = [];
  try {
    for (let number = 0; number < count; number += 1) times.push(await cancelled(gateway.url, engine));
  } finally {
    await gateway.stop();
    await worker.close();
  }
  return times;
}

async function cancelled(url: string, engine: CancelledEngine): Promise<number> {
  const body = JSON.stringify({ model: MODEL, prompt: [97, 98], max_tokens: 1000, stream: true });
  const client = request(`${url}/v1/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'content-length': body.length },
  });
  client.on('error', () => undefined); // we hang up
  client.end(body);
  const [response] = await once(client, 'response');
  await once(response, 'data');
  const told = new Promise<number>((resolve) => {
    engine.onCancel = () => resolve(performance.now());
  });
  const startedMs = performance.now();
  client.destroy();
  return (await told) - startedMs;
}
