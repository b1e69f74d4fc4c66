// Several generations over one WebSocket. Run in this repository, beside `npm start`:
//   node examples/ws-client.mjs [http://127.0.0.1:8080]
import { SluiceClient } from 'sluice/client';
import { WebSocket } from 'ws';

const url = process.argv[2] ?? 'http://127.0.0.1:8080';
const client = await SluiceClient.connect(url, { WebSocket }).catch((error) => {
  console.error(`${url}: ${error.message}`);
  process.exit(1);
});

const prompts = ['The capital of France is', 'A good name for a cat is', 'Water boils at'];
await Promise.all(
  prompts.map(async (prompt) => {
    const generation = client.complete({ prompt, max_tokens: 24, temperature: 0 });
    let text = prompt;
    for await (const token of generation) text += token.text;
    const { usage, choices } = await generation.done;
    console.log(`${text}\n  (${usage.completion_tokens} tokens, ${choices[0].finish_reason})\n`);
  }),
);

// Stopped by us after the first few tokens: the server frees its memory within one step.
const long = client.complete({ prompt: 'Once upon a time', max_tokens: 500 });
let seen = 0;
for await (const token of long) {
  process.stdout.write(token.text);
  if (++seen === 20) long.cancel();
}
console.log(`\n  (${(await long.done).choices[0].finish_reason})`);

client.close();
