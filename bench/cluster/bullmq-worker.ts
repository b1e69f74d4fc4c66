/** A process that works for `bullmq-gateway.ts`, over the same engine that Sluice's stub workers have. */
import { createServer } from 'node:http';
import { type Job as BullmqJob, Worker } from 'bullmq';
import { promptOnly } from '../../src/engine/prompt-only.js';
import { type BullmqOptions, type Job, QUEUE } from './bullmq.js';
import { SteppingEngine } from './stepping-engine.js';

const { port, redisPort, stepMs, sequences } = JSON.parse(process.argv[2]!) as BullmqOptions;
const engine = new SteppingEngine(stepMs);
const worker = new Worker<Job>(QUEUE, answer, {
  connection: { host: '127.0.0.1', port: redisPort },
  concurrency: sequences,
});
await worker.waitUntilReady();
createServer((_, response) => response.end('{}')).listen(port, '127.0.0.1');

function answer(job: BullmqJob<Job>): Promise<void> {
  const told: Promise<void>[] = [];
  return new Promise((resolve) => {
    const request = { ...promptOnly(job.id!, 'bench', Int32Array.of(1)), maxTokens: job.data.maxTokens };
    engine.generate(request, (event) => {
      if (event.type === 'delta') told.push(job.updateProgress({ text: event.text }));
      else if (event.type === 'done') resolve(Promise.all(told).then(() => undefined));
    });
  });
}
