/**
 * node-llama-cpp's own context API behind a minimal streaming /v1/completions, for measuring only.
 * Usage: node node-llama-cpp-server.mjs <model> <port> <threads> <sequences> <tokens per sequence>
 */
import { createServer } from 'node:http';
import { getLlama } from 'node-llama-cpp';

const [modelPath, ...numbers] = process.argv.slice(2);
const [port, threads, sequences, contextSize] = numbers.map(Number);

const llama = await getLlama({ build: 'never', gpu: false, maxThreads: 0 });
const model = await llama.loadModel({ modelPath });
const context = await model.createContext({
  sequences,
  contextSize,
  batchSize: 512,
  swaFullCache: true,
  threads,
});

const idle = Array.from({ length: sequences }, () => context.getSequence());
const waiting = [];

/** The idle sequence that shares the longest prefix with `tokens`, or the next one to become idle. */
function takeSequence(tokens) {
  if (idle.length === 0) return new Promise((resolve) => waiting.push(resolve));
  const shared = idle.map((sequence) => sequence.compareContextTokens(tokens).firstDifferentIndex);
  const best = shared.indexOf(Math.max(...shared));
  return idle.splice(best, 1)[0];
}

function giveBack(sequence) {
  const next = waiting.shift();
  if (next) next(sequence);
  else idle.push(sequence);
}

async function complete({ prompt, max_tokens: maxTokens }, response) {
  const tokens = Array.isArray(prompt) ? prompt : model.tokenize(prompt);
  const sequence = await takeSequence(tokens);
  try {
    await sequence.adaptStateToTokens(tokens, false);
    const cached = Math.min(sequence.nextTokenIndex, tokens.length - 1);
    if (sequence.nextTokenIndex > cached) {
      await sequence.eraseContextTokenRanges([{ start: cached, end: sequence.nextTokenIndex }]);
    }
    await stream(sequence, tokens, cached, maxTokens, response);
  } finally {
    giveBack(sequence);
  }
}

async function stream(sequence, tokens, cached, maxTokens, response) {
  const send = (chunk) => response.write(`data: ${JSON.stringify(chunk)}\n\n`);
  response.writeHead(200, { 'content-type': 'text/event-stream' });
  let generated = 0;
  for await (const token of sequence.evaluate(tokens.slice(cached), {
    temperature: 0,
    yieldEogToken: true,
  })) {
    send({ choices: [{ index: 0, text: model.detokenize([token]), finish_reason: null }] });
    if (++generated === maxTokens || response.destroyed) break;
  }
  const details = { cached_tokens: cached };
  send({
    choices: [],
    usage: { prompt_tokens: tokens.length, completion_tokens: generated, prompt_tokens_details: details },
  });
  response.end('data: [DONE]\n\n');
}

createServer((request, response) => {
  if (request.method === 'GET') return response.end(JSON.stringify({ data: [{ id: 'default' }] })); // ready, models
  const body = [];
  request.on('data', (chunk) => body.push(chunk));
  request.on('end', () => {
    complete(JSON.parse(Buffer.concat(body).toString()), response).catch((error) => {
      console.error(error);
      response.destroy();
    });
  });
}).listen(port, '127.0.0.1');
