import { stat } from 'node:fs/promises';
import { homedir } from 'node:os';
import { basename, join, resolve } from 'node:path';
import { SluiceError } from '../errors.js';
import { type Catalog, type CatalogEntry, findInCatalog, readCatalog } from './catalog.js';
import { freeBytes } from './disk.js';
import { defaultHttpSettings } from './http.js';
import { FileLock } from './lock.js';
import { fetchFromEnvironment } from './proxy.js';
import { type PullPlan, type PullTools, planCatalogPull, planReferencePull, pullModel } from './pull.js';
import { modelStem, parseReference } from './reference.js';
import { silentReporter } from './reporter.js';
import { endpointsFromEnvironment } from './sources/source.js';
import { modelFiles, wholeName } from './split.js';
import { defaultModelsDirectory, ModelStore, type StoredModel } from './store.js';

export type { Catalog, CatalogEntry } from './catalog.js';
export { readCatalog } from './catalog.js';
export { formatBytes, freeBytes } from './disk.js';
export { createReporter, type PullReporter, silentReporter } from './reporter.js';
export { defaultModelsDirectory, type Manifest, ModelStore, type StoredModel } from './store.js';

const defaultMaxBytes = 2 ** 41; // 2 TiB: larger than any GGUF file, smaller than a server that never stops sending

export interface ResolvedModel {
  /** Absolute path of the GGUF file; of a split model, of its first part. */
  path: string;
  /** What clients call it. */
  id: string;
  /** Changes when the bytes do: the sha256, or for a file of the user's own its size and time. */
  revision: string;
  catalog: CatalogEntry | null;
}

export type ResolveOptions = Partial<Omit<PullTools, 'store'>> & {
  env?: NodeJS.ProcessEnv;
  store?: ModelStore;
  catalog?: Catalog;
  /** Fetch again what is already there. */
  refresh?: boolean;
};

/**
 * A reference (path, `hf:`, `https:`, `pypi:`, catalog name; default: the catalog's default) as a file on this machine,
 * pulled if need be. Throws SluiceError: invalid_value, model_not_found, model_access_denied, model_download_failed,
 * model_checksum_mismatch, insufficient_storage.
 */
export async function resolveModel(ref: string | null, options: ResolveOptions = {}): Promise<ResolvedModel> {
  const found = await locate(ref, options.catalog ?? readCatalog());
  if ('path' in found) return found;
  const stored = await pullModel(found, options.refresh ?? false, pullTools(options));
  return {
    path: stored.path,
    id: stored.manifest.id,
    revision: stored.manifest.sha256,
    catalog: found.entry,
  };
}

/** The stored model of a reference or a store name; null where it isn't pulled. */
export async function findStored(
  ref: string,
  store: ModelStore,
  catalog: Catalog,
): Promise<StoredModel | null> {
  const plan = planFor(ref, catalog);
  const byReference = plan === null ? null : await store.find(plan.name);
  return byReference ?? (await store.list()).find((model) => model.manifest.name === ref) ?? null;
}

/** Removes a pulled model, and what broken pulls of it left. Returns its name; throws model_not_found. */
export async function removeModel(ref: string, store: ModelStore, catalog: Catalog): Promise<string> {
  const name = (await findStored(ref, store, catalog))?.manifest.name ?? planFor(ref, catalog)?.name;
  const removed = name !== undefined && (await withLock(name, store, () => store.remove(name)));
  if (!removed)
    throw new SluiceError(
      'model_not_found',
      `${ref} is not on this machine; "sluice models list" says what is.`,
    );
  return name;
}

async function withLock<T>(name: string, store: ModelStore, action: () => Promise<T>): Promise<T> {
  const lock = await FileLock.acquire(
    await store.lockPath(name),
    new AbortController().signal,
    () => undefined,
  );
  try {
    return await action();
  } finally {
    await lock.release();
  }
}

async function locate(ref: string | null, catalog: Catalog): Promise<ResolvedModel | PullPlan> {
  const text = ref ?? catalog.default;
  const plan = planFor(text, catalog);
  if (plan !== null) return plan;
  return localModel(text, catalog);
}

/** Null: not a reference that is pulled. */
export function planFor(ref: string, catalog: Catalog): PullPlan | null {
  const reference = parseReference(ref);
  if (reference.kind === 'path') return null;
  if (reference.kind !== 'name') return planReferencePull(ref, reference);
  const entry = findInCatalog(catalog, reference.name);
  return entry === null ? null : planCatalogPull(entry);
}

async function localModel(text: string, catalog: Catalog): Promise<ResolvedModel> {
  const files = modelFiles(resolve(text.startsWith('~/') ? join(homedir(), text.slice(2)) : text));
  const states = await Promise.all(files.map((file) => stateOf(file)));
  const missing = states.indexOf(null);
  if (missing === -1) {
    const id = modelStem(basename(wholeName(files[0])));
    return { path: files[0], id, revision: states.join(' '), catalog: null };
  }
  if (states.some((state) => state !== null)) {
    const message = `Part ${missing + 1} of ${files.length} of the model is missing: ${basename(files[missing]!)}.`;
    throw new SluiceError('model_not_found', message, { param: 'model' });
  }
  const known = catalog.models.map((entry) => entry.name).join(', ');
  throw new SluiceError(
    'model_not_found',
    `No model "${text}": neither a file nor in the catalog (${known}). Elsewhere: hf:org/repo:file, https://… or pypi:package.`,
    {
      param: 'model',
    },
  );
}

/** Changes when the file does; null: there is none. */
async function stateOf(path: string): Promise<string | null> {
  const stats = await stat(path).catch(() => null);
  return stats?.isFile() ? `${stats.size}-${Math.trunc(stats.mtimeMs)}` : null;
}

function pullTools(options: ResolveOptions): PullTools {
  const env = options.env ?? process.env;
  return {
    store: options.store ?? new ModelStore(defaultModelsDirectory(env)),
    endpoints: options.endpoints ?? endpointsFromEnvironment(env),
    http: options.http ?? { ...defaultHttpSettings, fetch: fetchFromEnvironment(env) },
    freeBytes: options.freeBytes ?? freeBytes,
    maxBytes: options.maxBytes ?? defaultMaxBytes,
    now: options.now ?? (() => new Date()),
    reporter: options.reporter ?? silentReporter,
    signal: options.signal ?? new AbortController().signal,
  };
}
