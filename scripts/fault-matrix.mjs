// Runs every fault of test/support/faults.ts N times, each with its own seed, against real processes, and prints the table of
// docs/operations.md. Usage: npm run fault-matrix [-- --repeats 100 --clients 8 --only SUBSTRING]
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const root = fileURLToPath(new URL('..', import.meta.url));
const { values: options } = parseArgs({
  options: {
    repeats: { type: 'string', default: '100' },
    clients: { type: 'string', default: '8' },
    only: { type: 'string', default: '' },
  },
});
execFileSync(process.execPath, [
  join(root, 'node_modules', 'typescript', 'bin', 'tsc'),
  '-p',
  join(root, 'tsconfig.json'),
]);
const { ClusterWorld } = await import('../dist/test/support/cluster-world.js');
const { faults, underFault } = await import('../dist/test/support/faults.js');

console.log('| fault | times | requests | asked again | lost | gaps or repeats | miscounted | left behind |');
console.log('|---|---:|---:|---:|---:|---:|---:|---:|');
let isClean = true;
for (const fault of faults.filter(({ name }) => name.includes(options.only))) {
  const world = await ClusterWorld.start({ gateways: 2, workers: 2, stepMs: 20 });
  const sum = { requests: 0, retried: 0, lost: 0, wrong: 0, miscounted: 0, leftInRedis: 0 };
  try {
    for (let seed = 0; seed < Number(options.repeats); seed += 1) {
      const report = await underFault(world, fault, seed, Number(options.clients));
      for (const name of Object.keys(sum)) sum[name] += report[name];
    }
  } finally {
    await world.close();
  }
  const { requests, retried, lost, wrong, miscounted, leftInRedis } = sum;
  console.log(
    `| ${[fault.name, options.repeats, requests, retried, lost, wrong, miscounted, leftInRedis].join(' | ')} |`,
  );
  isClean &&= lost + wrong + miscounted + leftInRedis === 0;
}
process.exitCode = isClean ? 0 : 1;
