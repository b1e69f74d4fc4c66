import { randomUUID } from 'node:crypto';
import { open, readdir, readFile, rename, rm, stat, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { makeDirectory } from '../../support/make-directory.js';
import { decodePage, encodePage, fileName, keyOfFile } from './page-file.js';

const draftPattern = /^[0-9a-f-]{36}\.draft$/;

export interface FolderListener {
  onRemoved(key: string): void;
  onFault(message: string): void;
}

/**
 * Pages as files of one folder, at most `maxBytes` of them, least recently used first out. Files that aren't pages are
 * left alone; a page that isn't what it should be is removed. Several processes may share a folder: files appear whole,
 * and one that has gone is a page that isn't there.
 */
export class DiskFolder {
  private readonly sizes = new Map<string, number>(); // in order of use
  private bytes = 0;

  constructor(
    private readonly directory: string,
    private readonly maxBytes: number,
    private readonly listener: FolderListener,
  ) {}

  /** Finds what an earlier process has left. */
  async open(): Promise<string[]> {
    makeDirectory(this.directory);
    const names = await readdir(this.directory);
    const drafts = names.filter((name) => draftPattern.test(name));
    await Promise.all(drafts.map((name) => rm(join(this.directory, name), { force: true })));
    const keys = names.map(keyOfFile).filter((key) => key !== null);
    const foreign = names.length - drafts.length - keys.length;
    if (foreign > 0) this.listener.onFault(`${foreign} files in ${this.directory} are no pages; they stay.`);
    await this.takeStock(keys);
    await this.makeRoom(0);
    return Array.from(this.sizes.keys());
  }

  async read(key: string): Promise<Uint8Array | null> {
    const path = join(this.directory, fileName(key));
    const bytes = await readFile(path).then(
      (file) => decodePage(key, file),
      () => null,
    );
    if (bytes === null) {
      await this.discard(key, `The page ${path} can't be read or is damaged; it is removed.`);
      return null;
    }
    this.use(key);
    const now = new Date();
    await utimes(path, now, now).catch(() => {}); // only the order of removal after a restart
    return bytes;
  }

  async write(key: string, bytes: Uint8Array): Promise<void> {
    const parts = encodePage(key, bytes);
    const size = parts.reduce((sum, part) => sum + part.length, 0);
    await this.makeRoom(size);
    const draft = join(this.directory, `${randomUUID()}.draft`);
    try {
      const file = await open(draft, 'wx', 0o600);
      try {
        await file.writev(parts);
      } finally {
        await file.close();
      }
      await rename(draft, join(this.directory, fileName(key)));
    } catch (error) {
      await rm(draft, { force: true }).catch(() => {});
      throw error;
    }
    this.add(key, size);
  }

  private async takeStock(keys: string[]): Promise<void> {
    const found = [];
    for (const key of keys) {
      const info = await stat(join(this.directory, fileName(key))).catch(() => null);
      if (info?.isFile()) found.push({ key, size: info.size, usedMs: info.mtimeMs });
    }
    found.sort((a, b) => a.usedMs - b.usedMs);
    for (const { key, size } of found) this.add(key, size);
  }

  private async makeRoom(size: number): Promise<void> {
    for (const key of this.sizes.keys()) {
      if (this.bytes + size <= this.maxBytes) return;
      await this.remove(key);
    }
  }

  private async discard(key: string, message: string): Promise<void> {
    if (this.sizes.has(key)) this.listener.onFault(message);
    await this.remove(key);
  }

  private async remove(key: string): Promise<void> {
    this.bytes -= this.sizes.get(key) ?? 0;
    this.sizes.delete(key);
    this.listener.onRemoved(key);
    await rm(join(this.directory, fileName(key)), { force: true }).catch(() => {});
  }

  private add(key: string, size: number): void {
    this.bytes += size - (this.sizes.get(key) ?? 0);
    this.sizes.delete(key);
    this.sizes.set(key, size);
  }

  private use(key: string): void {
    const size = this.sizes.get(key);
    if (size !== undefined) this.add(key, size);
  }
}
