/** A process that takes completions over HTTP and has BullMQ carry them to workers and their tokens back. */
import { Queue, QueueEvents } from 'bullmq';
import { loadUws } from '../../src/api/uws.js';
import { type BullmqOptions, type Job, QUEUE } from './bullmq.js';

const { port, redisPort } = JSON.parse(process.argv[2]!) as BullmqOptions;
const connection = { host: '127.0.0.1', port: redisPort };
const queue = new Queue<Job>(QUEUE, { connection });
const events = new QueueEvents(QUEUE, { connection });
await events.waitUntilReady();

/** What has come of each answer, and who waits for it. */
const waiting = new Map<string, { text: string; end: (text: string) => void }>();
events.on('progress', ({ jobId, data }) => {
  const answer = waiting.get(jobId);
  if (answer) answer.text += (data as { text: string }).text;
});
events.on('completed', ({ jobId }) => {
  const answer = waiting.get(jobId);
  waiting.delete(jobId);
  answer?.end(answer.text);
});

let count = 0;
const uws = loadUws({ maxHeaderBytes: 16_384 });
const app = uws.App();
app.post('/v1/completions', (response) => {
  const chunks: Buffer[] = [];
  let isGone = false;
  response.onAborted(() => {
    isGone = true;
  });
  response.onData((chunk, isLast) => {
    chunks.push(Buffer.from(new Uint8Array(chunk)));
    if (!isLast) return;
    const request = JSON.parse(Buffer.concat(chunks).toString()) as { max_tokens: number };
    const jobId = `job-${count++}`;
    const end = (text: string) => {
      if (isGone) return;
      const answer = JSON.stringify({ id: jobId, choices: [{ index: 0, text, finish_reason: 'length' }] });
      response.cork(() => response.writeHeader('content-type', 'application/json').end(answer));
    };
    waiting.set(jobId, { text: '', end });
    void queue.add(
      QUEUE,
      { maxTokens: request.max_tokens },
      { jobId, removeOnComplete: true, removeOnFail: true },
    );
  });
});
app.get('/readyz', (response) => {
  response.end('{}');
});
app.listen('127.0.0.1', port, () => undefined);
