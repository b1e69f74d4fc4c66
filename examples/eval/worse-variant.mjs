// A deliberately worse variant, from start to alert: a server whose route "chat" sends half of its users to the model as it is and half
// to the same model behind a proxy that loses the stop strings. Live evaluation scores all answers by a rule (one line) and by
// log-probability (perplexity); the A/B verdict raises an alert at the webhook and takes the variant out of the route.
// Usage: node examples/eval/worse-variant.mjs [port]
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

const port = Number(process.argv[2] ?? 18081);
const model = 'gemma-3-270m';
const countries =
  'France Germany Italy Spain Portugal Japan China Russia Egypt Greece Austria Poland Ireland Norway Sweden'.split(
    ' ',
  );
const mostRequests = 400;

async function bodyOf(request) {
  const chunks = [];
  for await (const chunk of request) chunks.push(chunk);
  return Buffer.concat(chunks).toString('utf8');
}

/** Answers as the server does, but without the client's stop strings. */
const proxy = createServer(async (request, response) => {
  const body = JSON.parse(await bodyOf(request));
  delete body.stop;
  const answer = await fetch(`http://127.0.0.1:${port}${request.url}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ ...body, model }),
  });
  response.writeHead(answer.status, { 'content-type': answer.headers.get('content-type') });
  for await (const chunk of answer.body) response.write(chunk);
  response.end();
});

let alert = null;
const operator = createServer(async (request, response) => {
  const told = JSON.parse(await bodyOf(request));
  if (told.subject.startsWith('variant chat')) alert ??= told;
  response.end();
});

const listening = (server) =>
  new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(server.address().port)));
const [proxyPort, operatorPort] = [await listening(proxy), await listening(operator)];

const folder = mkdtempSync(join(tmpdir(), 'sluice-demo-'));
const config = {
  server: { port },
  model: { ref: model },
  log: { level: 'warn' },
  data: { dir: join(folder, 'data') },
  routing: {
    models: [
      {
        id: 'without-stop',
        upstream: { url: `http://127.0.0.1:${proxyPort}/v1`, probeIntervalMs: 0 },
        capabilities: ['completions', 'logprobs', 'prompt_logprobs'],
      },
    ],
    routes: [{ name: 'chat', strategy: 'weighted', models: [model, 'without-stop'] }],
  },
  evaluation: {
    routes: { chat: 1 },
    share: 0,
    rollback: true,
    scorers: [
      { type: 'regex', name: 'one_line', pattern: '^[^\\n]+$' },
      { type: 'perplexity', limit: 200 },
    ],
  },
  alerts: { url: `http://127.0.0.1:${operatorPort}/`, secret: 'only for this example' },
};
writeFileSync(join(folder, 'sluice.yaml'), JSON.stringify(config));
const entry = fileURLToPath(new URL('../../bin/sluice', import.meta.url));
const server = spawn(process.execPath, [entry, 'serve', '--config', join(folder, 'sluice.yaml')], {
  stdio: ['ignore', 'ignore', 'inherit'],
});

async function ask(user) {
  const country = countries[user % countries.length];
  const response = await fetch(`http://127.0.0.1:${port}/v1/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({
      model: 'chat',
      user: `user-${user}`,
      prompt: `Q: What is the capital of Cuba?\nA: Havana\nQ: What is the capital of ${country}?\nA:`,
      max_tokens: 24,
      temperature: 0.7,
      stop: ['\n'],
    }),
  });
  const { choices } = await response.json();
  return { variant: response.headers.get('x-sluice-variant'), text: choices[0].text };
}

try {
  while (!(await fetch(`http://127.0.0.1:${port}/readyz`).catch(() => null))?.ok) await delay(200);
  const startedAt = performance.now();
  const counts = {};
  let asked = 0;
  while (alert === null && asked < mostRequests) {
    const answers = await Promise.all(Array.from({ length: 4 }, () => ask(asked++)));
    for (const { variant } of answers) counts[variant] = (counts[variant] ?? 0) + 1;
    if (asked % 40 === 0) console.log(`${asked} requests:`, counts);
  }
  if (alert === null) throw new Error(`no alert after ${asked} requests`);
  console.log(`\nalert after ${asked} requests and ${Math.round((performance.now() - startedAt) / 1000)} s:`);
  console.log(JSON.stringify(alert, null, 2));
  const after = await Promise.all(Array.from({ length: 20 }, (_, index) => ask(10_000 + index)));
  const left = after.filter(({ variant }) => variant === 'without-stop').length;
  console.log(`\nof 20 further users ${left} were sent to the worse variant`);
  if (left > 0) process.exitCode = 1;
} finally {
  server.kill('SIGTERM');
  proxy.close();
  operator.close();
  await new Promise((resolve) => server.once('exit', resolve));
  rmSync(folder, { recursive: true, force: true });
}
