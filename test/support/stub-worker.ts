/** A process that is a worker of a cluster over the scripted engine. Options: JSON in the first argument. */
import { stopAtSignal } from '../../src/cli/stop-signals.js';
import { startTestWorker } from './cluster.js';
import type { StubEngine } from './stub-engine.js';

/** Requests at the engine. */
export interface Activity {
  prefilling: number;
  decoding: number;
}

const TELL_INTERVAL_MS = 5;

const { redis, drainMs, ...options } = JSON.parse(process.argv[2]!);
const stop = stopAtSignal();
const worker = await startTestWorker(redis, { ...options, reply: lastLine });
process.stdout.write('ready\n');
if (process.send) tellActivity(worker.engine);
stop.addEventListener('abort', async () => {
  await worker.role.drain(drainMs ?? 10_000);
  await worker.close();
  process.exit(0);
});

/** What it says is the prompt's last line, so that prompts may begin alike. */
function lastLine({ prompt, maxTokens }: { prompt: Int32Array; maxTokens: number }): string {
  const text = Buffer.from(prompt.filter((token) => token < 256)).toString();
  const line = text.split('\n').at(-1) || 'x'; // a warm-up has no text
  return line.repeat(Math.ceil((maxTokens + 1) / Buffer.byteLength(line)));
}

function tellActivity(engine: StubEngine): void {
  let told = '';
  setInterval(() => {
    const activity: Activity = {
      prefilling: engine.prefilling,
      decoding: engine.running - engine.prefilling,
    };
    const now = JSON.stringify(activity);
    if (now !== told) process.send!(activity);
    told = now;
  }, TELL_INTERVAL_MS).unref();
}
