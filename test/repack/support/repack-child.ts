import { writeFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { repack } from '../../../src/repack/repack.js';
import { RepackedStore } from '../../../src/repack/repacked-store.js';
import { scriptedTools, source } from './setup.js';

/**
 * A process of its own. `make <directory>` prints the path of the copy and how many times this process wrote it;
 * `stall <directory> <path>` writes half of the copy and waits for its end.
 */
const [, , command, directory = '', path = ''] = process.argv;

if (command === 'make') {
  const tools = scriptedTools(directory, () => 1.5);
  const outcome = await repack(source, 'auto', tools);
  process.stdout.write(`${JSON.stringify({ path: outcome.path, written: tools.written.length })}\n`);
} else {
  await new RepackedStore(directory).make(
    source,
    path,
    1_000_000,
    new AbortController().signal,
    async (draft) => {
      await writeFile(draft, Buffer.alloc(500_000));
      process.stdout.write('half\n');
      await delay(2 ** 30);
    },
  );
}
