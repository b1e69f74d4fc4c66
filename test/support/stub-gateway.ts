/** A process that is a gateway of a cluster. Options: JSON in the first argument; prints its port. */
import { drainAtSignal, stopAtSignal } from '../../src/cli/stop-signals.js';
import { createLog } from '../../src/telemetry/log.js';
import { startTestGateway } from './cluster.js';

const { redis, settings, dataFolder } = JSON.parse(process.argv[2]!);
const stop = stopAtSignal();
const gateway = await startTestGateway(redis, settings, { withoutEngine: true, dataFolder });
process.stdout.write(`${gateway.port}\n`);
await drainAtSignal(gateway.server, stop, createLog('silent'));
await gateway.close();
