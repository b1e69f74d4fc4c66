import { randomUUID } from 'node:crypto';
import { mkdir, readdir, readFile, rename, rm, rmdir, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { cacheDirectory } from '../support/cache.js';
import { licenceSchema } from './catalog.js';

const manifestFile = 'manifest.json';
const lockDirectory = '.locks';

const manifestSchema = z.object({
  schema: z.literal(1),
  /** The directory's name. */
  name: z.string(),
  /** What clients call the model. */
  id: z.string(),
  /** The reference it was pulled by, and the one that delivered it (they differ for catalog names). */
  ref: z.string(),
  source: z.string(),
  /** The model's file, or the first part of a split one; length and checksum are of all parts (sources/source.ts). */
  file: z.string(),
  bytes: z.int().nonnegative(),
  sha256: z.string(),
  parts: z.array(z.object({ file: z.string(), bytes: z.int().nonnegative() })).default([]),
  /** The source's own name for this state: a commit, an ETag, a package version. */
  upstream: z.string().nullable(),
  /** ISO 8601. */
  pulledAt: z.string(),
  licence: licenceSchema.nullable(),
});

export type Manifest = z.infer<typeof manifestSchema>;

export interface StoredModel {
  manifest: Manifest;
  path: string;
}

/** `${SLUICE_CACHE:-~/.cache/sluice}/models`. */
export function defaultModelsDirectory(env: NodeJS.ProcessEnv): string {
  return join(cacheDirectory(env), 'models');
}

/** Downloaded models, one directory each: the file and a manifest, which is written last. */
export class ModelStore {
  readonly directory: string;

  constructor(directory: string) {
    this.directory = directory;
  }

  /** The model of that name if it is there whole. */
  async find(name: string): Promise<StoredModel | null> {
    const manifest = await this.#readManifest(name);
    if (manifest === null) return null;
    const pathOf = (file: string) => join(this.directory, name, file);
    const files = manifest.parts.length > 0 ? manifest.parts : [manifest];
    const sizes = await Promise.all(
      files.map(({ file }) =>
        stat(pathOf(file)).then(
          ({ size }) => size,
          () => null,
        ),
      ),
    );
    const isWhole = files.every(({ bytes }, index) => sizes[index] === bytes);
    return isWhole ? { manifest, path: pathOf(manifest.file) } : null;
  }

  async list(): Promise<StoredModel[]> {
    const names = await readdir(this.directory).catch(() => []);
    const found = await Promise.all(
      names.filter((name) => !name.startsWith('.')).map((name) => this.find(name)),
    );
    return found
      .filter((model) => model !== null)
      .sort((a, b) => (a.manifest.name < b.manifest.name ? -1 : 1));
  }

  async makeDirectory(name: string): Promise<string> {
    const path = join(this.directory, name);
    await mkdir(path, { recursive: true });
    return path;
  }

  /** Of a broken pull only what it has brought stays, for the next one to go on from. */
  async removeEmptyDirectory(name: string): Promise<void> {
    await removeEmpty(join(this.directory, name));
  }

  async lockPath(name: string): Promise<string> {
    const directory = join(this.directory, lockDirectory);
    await mkdir(directory, { recursive: true });
    return join(directory, name);
  }

  async record(manifest: Manifest): Promise<void> {
    const path = join(this.directory, manifest.name, manifestFile);
    const draft = `${path}.${randomUUID()}`;
    await writeFile(draft, `${JSON.stringify(manifest, null, 2)}\n`);
    await rename(draft, path);
  }

  /** The model counts as absent from now on: its files are about to be replaced, one after the other. */
  async revoke(name: string): Promise<void> {
    await rm(join(this.directory, name, manifestFile), { force: true });
  }

  /** Removes the model and whatever a broken pull left of it. False: there was nothing. */
  async remove(name: string): Promise<boolean> {
    const path = join(this.directory, name);
    if ((await stat(path).catch(() => null)) === null) return false;
    // The manifest first: a model half removed is then no model.
    await this.revoke(name);
    await rm(path, { recursive: true });
    return true;
  }

  async #readManifest(name: string): Promise<Manifest | null> {
    try {
      return manifestSchema.parse(
        JSON.parse(await readFile(join(this.directory, name, manifestFile), 'utf8')),
      );
    } catch {
      return null; // never pulled, or not to its end
    }
  }
}

/** Removes a directory that holds nothing but such directories, as far as it can. */
async function removeEmpty(directory: string): Promise<void> {
  const entries = await readdir(directory, { withFileTypes: true }).catch(() => []);
  for (const entry of entries) if (entry.isDirectory()) await removeEmpty(join(directory, entry.name));
  await rmdir(directory).catch(() => undefined); // something is in it
}
