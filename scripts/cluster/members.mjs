/** The processes of a cluster on this machine. */
import { spawn } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** Starts everything; files lie in `folder`. Resolves with the members in the order in which they are shown. */
export async function startMembers({ folder, port, model, workers, gateways, embeddings }) {
  const launch = (name, role, at, program, args) => {
    const child = spawn(program, args, { stdio: ['ignore', 'ignore', 'pipe'], cwd: folder });
    const member = { name, role, port: at, child, isGone: false, said: '' };
    child.stderr.setEncoding('utf8').on('data', (text) => {
      member.said = (member.said + text).slice(-2000);
    });
    child.on('exit', () => {
      member.isGone = true;
    });
    return member;
  };
  const redisPort = await freePort();
  const redis = launch('redis', 'redis', redisPort, 'redis-server', [
    ...['--bind', '127.0.0.1', '--port', String(redisPort)],
    ...['--appendonly', 'yes', '--dir', folder],
  ]);
  const sluice = async (role, number, ...args) => {
    const at = await freePort();
    const common = ['--redis', `redis://127.0.0.1:${redisPort}`, '--port', String(at), '--log-level', 'warn'];
    const name = `${role}-${number}`;
    return launch(name, role, at, process.execPath, [join(root, 'bin', 'sluice'), role, ...common, ...args]);
  };
  const many = async (role, count, args) => {
    const started = [];
    for (let number = 1; number <= count; number += 1)
      started.push(await sluice(role, number, ...args(number)));
    return started;
  };
  const encoder = embeddings ? ['--embeddings'] : [];
  const allWorkers = await many('worker', workers, () => ['--model', model, ...encoder]);
  const allGateways = await many('gateway', gateways, (number) => {
    const data = join(folder, `gateway-${number}`);
    mkdirSync(data);
    return ['--data', data];
  });
  const settings = join(folder, 'haproxy.cfg');
  writeFileSync(settings, balancerSettings(port, allGateways));
  const balancer = launch('balancer', 'balancer', port, 'haproxy', ['-f', settings]);
  return [balancer, ...allGateways, redis, ...allWorkers];
}

/** Workers and gateways first: they say goodbye over Redis. */
export async function stopMembers(members) {
  const isRedis = ({ role }) => role === 'redis';
  for (const wanted of [members.filter((member) => !isRedis(member)), members.filter(isRedis)]) {
    const ends = wanted
      .filter(({ isGone }) => !isGone)
      .map(({ child }) => {
        const ended = new Promise((resolve) => child.once('exit', resolve));
        child.kill('SIGTERM');
        return ended;
      });
    await Promise.all(ends);
  }
}

function balancerSettings(port, gateways) {
  const servers = gateways.map(
    ({ name, port: at }) => `  server ${name} 127.0.0.1:${at} check inter 500 rise 1`,
  );
  return `
defaults
  mode http
  timeout connect 2s
  timeout client 1h
  timeout server 1h
frontend clients
  bind 127.0.0.1:${port}
  default_backend gateways
backend gateways
  balance leastconn
  option httpchk
  http-check send meth GET uri /readyz ver HTTP/1.1 hdr Host 127.0.0.1
  option redispatch
${servers.join('\n')}
`;
}

async function freePort() {
  const probe = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => probe.once('listening', resolve));
  const { port } = probe.address();
  await new Promise((resolve) => probe.close(resolve));
  return port;
}
