import { access, constants } from 'node:fs/promises';
import { createServer } from 'node:net';
import { dirname } from 'node:path';
import {
  defaultModelsDirectory,
  findStored,
  formatBytes,
  freeBytes,
  ModelStore,
  readCatalog,
} from '../models/index.js';
import { type Check, fail, ok, warn } from './check.js';

export interface ServingOptions {
  host: string;
  port: number;
  env: NodeJS.ProcessEnv;
}

export async function checkServing(options: ServingOptions): Promise<Check[]> {
  return [await checkPort(options.host, options.port), ...(await checkModels(options.env))];
}

export async function checkPort(host: string, port: number): Promise<Check> {
  const code = await tryListen(host, port);
  const detail = `${host}:${port}`;
  if (code === null) return ok('Port', `${detail} is free`);
  if (code === 'EADDRINUSE') {
    return warn(
      'Port',
      `${detail} is taken, perhaps by Sluice itself`,
      'Stop what listens there, or serve with --port.',
    );
  }
  return fail(
    'Port',
    `${detail} can't be listened on (${code})`,
    'Serve on another address with --host and --port.',
  );
}

/** The error's code; null: it worked. */
function tryListen(host: string, port: number): Promise<string | null> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
    server.listen(port, host, () => server.close(() => resolve(null)));
  });
}

async function checkModels(env: NodeJS.ProcessEnv): Promise<Check[]> {
  const catalog = readCatalog();
  const store = new ModelStore(defaultModelsDirectory(env));
  const stored = await findStored(catalog.default, store, catalog);
  const entry = catalog.models.find((model) => model.name === catalog.default)!;
  // A download may need its packed and its joined form at once.
  const neededBytes = stored === null ? 2 * entry.bytes : 0;
  const model =
    stored === null
      ? warn(
          'Default model',
          `${entry.name} is not here yet`,
          `The first start fetches ${formatBytes(entry.bytes)}; or run: sluice models pull`,
        )
      : ok('Default model', stored.path);
  return [model, await checkDisk(store.directory, neededBytes)];
}

/** The folder itself, or the one in which it and those between would be made. */
async function writableParent(directory: string): Promise<string> {
  try {
    await access(directory, constants.W_OK | constants.X_OK);
    return directory;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    return await writableParent(dirname(directory));
  }
}

async function checkDisk(directory: string, neededBytes: number): Promise<Check> {
  try {
    const free = await freeBytes(await writableParent(directory));
    const detail = `${formatBytes(free)} free for models in ${directory}`;
    if (free >= neededBytes) return ok('Disk', detail);
    return fail('Disk', detail, `${formatBytes(neededBytes)} are needed: free some, or set SLUICE_CACHE.`);
  } catch (error) {
    const reason = (error as NodeJS.ErrnoException).code ?? 'unknown';
    return fail(
      'Disk',
      `${directory} can't be written (${reason})`,
      'Set SLUICE_CACHE to a directory that can be.',
    );
  }
}
