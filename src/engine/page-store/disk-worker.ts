import { workerData } from 'node:worker_threads';
import { DiskFolder } from './disk-folder.js';
import type { DiskCommand, DiskReport, DiskWorkerData } from './disk-protocol.js';

/** Worker entry: reads and writes the files of pages, one after the other, reads first. */

const { port, directory, maxBytes } = workerData as DiskWorkerData;
const reads: string[] = [];
const writes: { key: string; bytes: Uint8Array }[] = [];
let closing = false;
let wake = () => {};

function report(message: DiskReport): void {
  port.postMessage(message);
}

const folder = new DiskFolder(directory, maxBytes, {
  onRemoved: (key) => report({ type: 'removed', key }),
  onFault: (message) => report({ type: 'fault', message }),
});

port.on('message', (command: DiskCommand) => {
  if (command.type === 'read') reads.push(command.key);
  else if (command.type === 'write') writes.push(command);
  else closing = true;
  wake();
});

async function read(key: string): Promise<void> {
  const startMs = performance.now();
  const bytes = await folder.read(key);
  report({ type: 'page', key, bytes, elapsedMs: performance.now() - startMs });
}

async function write(key: string, bytes: Uint8Array): Promise<void> {
  try {
    await folder.write(key, bytes);
    report({ type: 'written', key, kept: true });
  } catch (error) {
    report({ type: 'written', key, kept: false });
    report({ type: 'fault', message: `A page could not be written: ${(error as Error).message}` });
  }
}

async function work(): Promise<void> {
  report({ type: 'found', keys: await folder.open() });
  for (;;) {
    const key = reads.shift();
    const page = key === undefined ? writes.shift() : undefined;
    if (key !== undefined) await read(key);
    else if (page !== undefined) await write(page.key, page.bytes);
    else if (closing) break;
    else await new Promise<void>((resolve) => (wake = resolve));
  }
}

try {
  await work();
} catch (error) {
  report({ type: 'fault', message: `Pages can't be kept in ${directory}: ${(error as Error).message}` });
}
port.close();
