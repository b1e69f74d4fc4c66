/**
 * A process that serves the scripted engine and stops as `sluice serve` does. Options: JSON in the first argument. SIGUSR2
 * holds the engine, and releases it the next time.
 */
import { drainAtSignal, stopAtSignal } from '../../src/cli/stop-signals.js';
import { createLog } from '../../src/telemetry/log.js';
import { startTestServer } from './server.js';

const stop = stopAtSignal();
const server = await startTestServer(JSON.parse(process.argv[2] ?? '{}'));
let isHeld = false;
process.on('SIGUSR2', () => {
  isHeld = !isHeld;
  if (isHeld) server.engine.hold();
  else server.engine.release();
});
process.stdout.write(`${server.port}\n`);
await drainAtSignal(server.server, stop, createLog('silent'));
await server.close();
