// A cluster on this machine, to try: Redis, gateways, workers, and a balancer that clients talk to. See USAGE.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { startMembers, stopMembers } from './cluster/members.mjs';
import { createScreen } from './cluster/screen.mjs';

const LOOK_MS = 1000;

const USAGE = `npm run cluster [-- OPTION ...]
  --port PORT      where clients find the balancer (default: 8080)
  --model REF      what workers load (default: gemma-3-270m)
  --workers N      (default: 2)
  --gateways N     (default: 2)
  --embeddings     workers have an encoder, too
  --key KEY        an administrator's, once there are keys: gateways' figures are read with it
Needs redis-server and haproxy: apt-get install redis-server haproxy`;

const options = readOptions();

function readOptions() {
  const count = (name, least, most) => {
    const number = Number(values[name]);
    if (!Number.isInteger(number) || number < least || number > most)
      throw new Error(`--${name}: expected a whole number from ${least} to ${most}`);
    return number;
  };
  let values;
  try {
    ({ values } = parseArgs({
      options: {
        port: { type: 'string', default: '8080' },
        model: { type: 'string', default: 'gemma-3-270m' },
        workers: { type: 'string', default: '2' },
        gateways: { type: 'string', default: '2' },
        embeddings: { type: 'boolean', default: false },
        key: { type: 'string' },
        help: { type: 'boolean', default: false },
      },
    }));
    if (!values.help) {
      const workers = count('workers', 1, 64);
      return { ...values, workers, gateways: count('gateways', 1, 64), port: count('port', 1, 65_535) };
    }
  } catch (error) {
    console.error(error.message);
  }
  console.log(USAGE);
  process.exit(values?.help ? 0 : 1);
}

for (const program of ['redis-server', 'haproxy']) {
  if (spawnSync(program, ['--version']).error) {
    console.error(`${program} isn't installed: apt-get install redis-server haproxy`);
    process.exit(1);
  }
}

const folder = mkdtempSync(join(tmpdir(), 'sluice-cluster-'));
const members = await startMembers({ ...options, folder });
const screen = createScreen(members, options.port, options.key);

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
