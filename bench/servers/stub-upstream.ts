/** A process that answers every chat completion at once with the same text. Port: the first argument. */
import { loadUws } from '../../src/api/uws.js';

const ANSWER = JSON.stringify({
  id: 'chatcmpl-stub',
  object: 'chat.completion',
  created: 1_700_000_000,
  model: 'stub',
  choices: [
    {
      index: 0,
      message: { role: 'assistant', content: 'The quick brown fox jumps over the lazy dog.' },
      finish_reason: 'stop',
    },
  ],
  usage: { prompt_tokens: 12, completion_tokens: 10, total_tokens: 22 },
});

const uws = loadUws({ maxHeaderBytes: 16_384 });
const app = uws.App();
app.post('/v1/chat/completions', (response) => {
  response.onAborted(() => undefined);
  response.onData((_, isLast) => {
    if (!isLast) return;
    response.cork(() => {
      response.writeHeader('content-type', 'application/json').end(ANSWER);
    });
  });
});
app.get('/v1/models', (response) => {
  response.end('{"object":"list","data":[]}');
});
app.listen('127.0.0.1', Number(process.argv[2]), () => undefined);
