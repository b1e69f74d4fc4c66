// A cluster on this machine, to try: Redis, gateways, workers, and a balancer that clients talk to.
// Usage: npm run cluster [-- --port 8080 --model REF --workers 2 --gateways 2 --embeddings --key KEY]
// Where the cluster has keys, --key is an administrator's: the screen reads gateways' /metrics with it.
// Needs redis-server and haproxy: apt-get install redis-server haproxy
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { startMembers, stopMembers } from './cluster/members.mjs';
import { createScreen } from './cluster/screen.mjs';

const LOOK_MS = 1000;

const { values: options } = parseArgs({
  options: {
    port: { type: 'string', default: '8080' },
    model: { type: 'string', default: 'gemma-3-270m' },
    workers: { type: 'string', default: '2' },
    gateways: { type: 'string', default: '2' },
    embeddings: { type: 'boolean', default: false },
    key: { type: 'string' },
  },
});

for (const program of ['redis-server', 'haproxy']) {
  if (spawnSync(program, ['--version']).error) {
    console.error(`${program} isn't installed: apt-get install redis-server haproxy`);
    process.exit(1);
  }
}

const folder = mkdtempSync(join(tmpdir(), 'sluice-cluster-'));
const port = Number(options.port);
const members = await startMembers({
  ...options,
  folder,
  port,
  workers: Number(options.workers),
  gateways: Number(options.gateways),
});
const screen = createScreen(members, port, options.key);

let shown = '';
let isLooking = false;
const refresh = setInterval(async () => {
  if (isLooking) return;
  isLooking = true;
  const { text, isServing } = await screen.look();
  isLooking = false;
  if (process.stdout.isTTY) process.stdout.write(`\u001b[2J\u001b[H${text}\n`);
  // Elsewhere, such as in a file, only what is new to a reader: that it serves, or doesn't any more.
  else if (shown !== String(isServing)) process.stdout.write(`${text}\n\n`);
  shown = String(isServing);
}, LOOK_MS);

let isStopping = false;
async function stop() {
  if (isStopping) return;
  isStopping = true;
  clearInterval(refresh);
  await stopMembers(members);
  rmSync(folder, { recursive: true, force: true });
  process.exit(0);
}
process.on('SIGINT', stop);
process.on('SIGTERM', stop);
