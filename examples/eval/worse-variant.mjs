// A deliberately worse variant, from start to alert: a server whose route "chat" sends half of its users to the model as it is and half
// to the same model behind a proxy that loses the stop strings. Live evaluation scores all answers by a rule (one line) and by
// log-probability (how much they surprise the model as it is); the A/B verdict raises an alert at the webhook and takes the variant out of the route.
// Usage: node examples/eval/worse-variant.mjs [port] [model]
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

const port = Number(process.argv[2] ?? 18081);
const ref = process.argv[3] ?? 'gemma-3-270m';
const [good, worse] = ['as-it-is', 'without-stop'];
const url = `http://127.0.0.1:${port}`;
const countries =
  'France Germany Italy Spain Portugal Japan China Russia Egypt Greece Austria Poland Ireland Norway Sweden'.split(
    ' ',
  );
const mostRequests = 400;
const print = (text) => console.log(text);

async function bodyOf(request) {
  const chunks = [];
  for await (const chunk of request) chunks.push(chunk);
  return Buffer.concat(chunks).toString('utf8');
}

const listening = (server) =>
  new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(server.address().port)));

/** Answers as the model does, but without the client's stop strings. */
const proxy = createServer(async (request, response) => {
  const body = JSON.parse(await bodyOf(request));
  delete body.stop;
  const answer = await post(request.url, { ...body, model: good });
  response.writeHead(answer.status, { 'content-type': answer.headers.get('content-type') });
  response.end(await answer.text());
});

/** The operator's webhook. */
let alert = null;
const operator = createServer(async (request, response) => {
  const told = JSON.parse(await bodyOf(request));
  if (told.subject === `variant chat ${worse} quality worse`) alert ??= told;
  response.end();
});

function post(path, body) {
  const headers = { 'content-type': 'application/json' };
  return fetch(`${url}${path}`, { method: 'POST', headers, body: JSON.stringify(body) });
}

async function ask(user) {
  const country = countries[user % countries.length];
  const response = await post('/v1/completions', {
    model: 'chat',
    user: `user-${user}`,
    prompt: `Q: What is the capital of Cuba?\nA: Havana\nQ: What is the capital of ${country}?\nA:`,
    max_tokens: 24,
    temperature: 0.7,
    stop: ['\n'],
  });
  if (!response.ok) throw new Error(await response.text());
  const { choices } = await response.json();
  return { country, variant: response.headers.get('x-sluice-variant'), text: choices[0].text };
}

const status = async () => (await fetch(`${url}/admin/evaluation`)).json();
const points = (value) => `${value < 0 ? '−' : '+'}${Math.abs(value).toFixed(3)}`;

/** How the comparison stands, in a line. */
async function standing(asked) {
  const { routes } = await status();
  const quality = routes[0]?.comparisons.find(({ measure }) => measure === 'quality');
  if (!quality) return `${asked} requests`;
  const { samples } = routes[0];
  const { low, high } = quality.interval;
  return `${asked} requests: scored ${samples[good]} and ${samples[worse]}, difference of quality ${points(low)} to ${points(high)}: ${quality.verdict}`;
}

const [proxyPort, operatorPort] = [await listening(proxy), await listening(operator)];
const folder = mkdtempSync(join(tmpdir(), 'sluice-demo-'));
const upstream = { url: `http://127.0.0.1:${proxyPort}/v1`, probeIntervalMs: 0 };
const config = {
  server: { port },
  model: { ref, aliases: [good] },
  log: { level: 'error' },
  data: { dir: join(folder, 'data') },
  routing: {
    models: [{ id: worse, upstream, capabilities: ['completions'] }],
    routes: [{ name: 'chat', strategy: 'weighted', models: [good, worse] }],
  },
  evaluation: {
    routes: { chat: 1 },
    share: 0,
    rollback: true,
    scorers: [
      { type: 'regex', name: 'one_line', pattern: '^[^\\n]+$' },
      { type: 'perplexity', limit: 200, model: good },
    ],
  },
  alerts: { url: `http://127.0.0.1:${operatorPort}/`, secret: 'only for this example' },
};
writeFileSync(join(folder, 'sluice.yaml'), JSON.stringify(config));
const entry = fileURLToPath(new URL('../../bin/sluice', import.meta.url));
const server = spawn(process.execPath, [entry, 'serve', '--config', join(folder, 'sluice.yaml')], {
  stdio: ['ignore', 'ignore', 'inherit'],
});
const exited = new Promise((resolve) => server.once('exit', resolve));

try {
  print(`Loading ${ref} …`);
  while (!(await fetch(`${url}/readyz`).catch(() => null))?.ok) {
    if (server.exitCode !== null) throw new Error('The server has not started.');
    await delay(100);
  }
  print(
    `The route "chat" shares its users out: half to ${good}, half to ${worse}, which loses the stop strings.\n`,
  );
  const startedAt = performance.now();
  const shown = new Set();
  let asked = 0;
  while (alert === null && asked < mostRequests) {
    const answers = await Promise.all(Array.from({ length: 4 }, () => ask(asked++)));
    for (const { country, variant, text } of answers) {
      if (shown.has(variant)) continue;
      shown.add(variant);
      print(`${variant} says of ${country}: ${JSON.stringify(text)}`);
    }
    if (asked % 40 === 0 && alert === null) print(await standing(asked));
  }
  for (let wait = 0; alert === null && wait < 600; wait += 1) await delay(100); // what is asked is still being scored
  if (alert === null) throw new Error(`No alert after ${asked} requests.`);
  print(await standing(asked));
  const seconds = Math.round((performance.now() - startedAt) / 1000);
  print(`\nAlert at the webhook after ${asked} requests and ${seconds} s: ${alert.message}`);
  print(`What to do, and what the server has done by itself: ${alert.action}.\n`);

  const after = await Promise.all(Array.from({ length: 20 }, (_, index) => ask(10_000 + index)));
  const left = after.filter(({ variant }) => variant === worse).length;
  print(`Of 20 further users ${left} were sent to ${worse}.`);
  print('Mean scores:');
  for (const { model, scorer, mean } of (await status()).scorers)
    print(`  ${scorer} of ${model}: ${mean.toFixed(2)}`);
  if (left > 0) process.exitCode = 1;
} finally {
  server.kill('SIGTERM');
  proxy.close();
  operator.close();
  await exited;
  rmSync(folder, { recursive: true, force: true });
}
