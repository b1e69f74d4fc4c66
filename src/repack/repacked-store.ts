import { createHash, randomUUID } from 'node:crypto';
import { mkdir, readdir, rename, rm, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { FileLock } from '../models/lock.js';
import { cacheDirectory } from '../support/cache.js';
import { blockRules } from './blocks.js';

/** Changes when the same source gives other bytes. */
const ruleVersion = 1;
const draftSuffix = '.draft';

/** A model file, and what changes with its bytes. */
export interface Source {
  path: string;
  revision: string;
}

/** `${SLUICE_CACHE:-~/.cache/sluice}/repacked`. */
export function repackedDirectory(env: NodeJS.ProcessEnv): string {
  return join(cacheDirectory(env), 'repacked');
}

/** Rewritten models: a directory for each source, a file for each revision and choice of types. */
export class RepackedStore {
  constructor(readonly directory: string) {}

  pathOf(source: Source, types: readonly number[]): string {
    const stem = basename(source.path).replace(/\.gguf$/i, '');
    const names = types.map((type) => blockRules.get(type)!.name.toLowerCase()).sort();
    return join(this.#home(source.path), `${stem}-without-${names.join('-')}${this.#suffix(source)}`);
  }

  /** A file appears only whole, so its length is enough to know it by. */
  async has(path: string, bytes: number): Promise<boolean> {
    return (await stat(path).catch(() => null))?.size === bytes;
  }

  /**
   * Makes the file by `write`, which gets the path of a draft; where another process makes it, waits for that one.
   * What killed processes and older revisions of the source have left goes.
   */
  async make(
    source: Source,
    path: string,
    bytes: number,
    signal: AbortSignal,
    write: (draft: string, signal: AbortSignal) => Promise<void>,
  ): Promise<void> {
    await mkdir(this.#home(source.path), { recursive: true });
    const lock = await FileLock.acquire(join(this.#home(source.path), '.lock'), signal, () => undefined);
    try {
      if (await this.has(path, bytes)) return;
      await this.#removeLeftovers(source);
      const draft = `${path}.${randomUUID()}${draftSuffix}`;
      try {
        await write(draft, AbortSignal.any([signal, lock.lost]));
        await rename(draft, path);
      } finally {
        await rm(draft, { force: true });
      }
    } finally {
      await lock.release();
    }
  }

  /** Removes whatever was made of a model file. */
  async forget(sourcePath: string): Promise<void> {
    await rm(this.#home(sourcePath), { recursive: true, force: true });
  }

  async #removeLeftovers(source: Source): Promise<void> {
    const home = this.#home(source.path);
    for (const name of await readdir(home)) {
      const isStale = name.endsWith('.gguf') && !name.endsWith(this.#suffix(source));
      if (isStale || name.endsWith(draftSuffix)) await rm(join(home, name), { force: true });
    }
  }

  #home(sourcePath: string): string {
    return join(this.directory, hash(sourcePath));
  }

  #suffix({ revision }: Source): string {
    return `-${hash(`${ruleVersion} ${revision}`)}.gguf`;
  }
}

function hash(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 16);
}
