import { randomUUID } from 'node:crypto';
import { readFileSync, readlinkSync } from 'node:fs';
import { type FileHandle, link, open, readFile, rename, rm, stat, utimes } from 'node:fs/promises';
import { hostname } from 'node:os';
import { setTimeout as delay } from 'node:timers/promises';
import { z } from 'zod';
import { SluiceError } from '../errors.js';

const heartbeatMs = 2_000;
/** A lock whose owner can't be seen from here (another host or container) is abandoned after this silence. */
const silentOwnerMs = 30_000;
const pollMs = 200;

const ownerSchema = z.object({
  token: z.string(),
  pid: z.int().positive(),
  start: z.string(),
  scope: z.string(),
});
type Owner = z.infer<typeof ownerSchema>;

/**
 * A lock between processes: a file made with O_EXCL. Its owner's death is seen at once where its process can be
 * looked up (same boot, same process namespace), else by the file's modification time standing still.
 */
export class FileLock {
  readonly #path: string;
  readonly #token: string;
  readonly #heartbeat: NodeJS.Timeout;
  readonly #lost = new AbortController();
  #missedBeats = 0;

  private constructor(path: string, token: string) {
    this.#path = path;
    this.#token = token;
    this.#heartbeat = setInterval(() => void this.#beat(), heartbeatMs);
    this.#heartbeat.unref();
  }

  /** Waits for the lock; `onWait` is called once if another process holds it. */
  static async acquire(path: string, signal: AbortSignal, onWait: () => void): Promise<FileLock> {
    const token = randomUUID();
    for (let attempt = 0; ; attempt++) {
      signal.throwIfAborted();
      if (await create(path, token)) return new FileLock(path, token);
      if (await removeAbandoned(path)) continue;
      if (attempt === 0) onWait();
      await delay(pollMs, undefined, { signal });
    }
  }

  /** Aborts when somebody else has taken the lock (this process was suspended for long); then stop writing. */
  get lost(): AbortSignal {
    return this.#lost.signal;
  }

  async release(): Promise<void> {
    clearInterval(this.#heartbeat);
    if (await this.#isMine()) await rm(this.#path, { force: true });
  }

  async #beat(): Promise<void> {
    // One miss may be a lock that removeAbandoned is just putting back.
    this.#missedBeats = (await this.#isMine()) ? 0 : this.#missedBeats + 1;
    if (this.#missedBeats === 1) return;
    if (this.#missedBeats > 1) {
      clearInterval(this.#heartbeat);
      this.#lost.abort(new SluiceError('model_download_failed', 'Another process took over this download.'));
      return;
    }
    const now = new Date();
    await utimes(this.#path, now, now).catch(() => undefined); // gone just now: the next beat sees it
  }

  async #isMine(): Promise<boolean> {
    return (await readOwner(this.#path))?.token === this.#token;
  }
}

async function create(path: string, token: string): Promise<boolean> {
  // Written aside and linked: a lock file never exists without its owner's name in it.
  const draft = `${path}.${token}`;
  const handle: FileHandle = await open(draft, 'wx', 0o644);
  try {
    await handle.writeFile(JSON.stringify(self(token)));
  } finally {
    await handle.close();
  }
  try {
    await link(draft, path);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  } finally {
    await rm(draft, { force: true });
  }
}

/** True if the lock was abandoned and is gone now. */
async function removeAbandoned(path: string): Promise<boolean> {
  const owner = await readOwner(path);
  if (!(await isAbandoned(path, owner))) return false;
  // Two processes may both see the dead owner, and the slower one find the quicker one's new lock here: move it
  // aside, look at what it was, and put a living lock back. If a third one has slipped in, the displaced owner
  // notices at its next heartbeat.
  const aside = `${path}.${randomUUID()}`;
  try {
    await rename(path, aside);
  } catch {
    return true; // somebody else removed it
  }
  const moved = await readOwner(aside);
  if (moved?.token !== owner?.token) await link(aside, path).catch(() => undefined);
  await rm(aside, { force: true });
  return true;
}

async function isAbandoned(path: string, owner: Owner | null): Promise<boolean> {
  if (owner !== null && owner.scope === processScope()) return processStart(owner.pid) !== owner.start;
  const stats = await stat(path).catch(() => null);
  return stats !== null && Date.now() - stats.mtimeMs > silentOwnerMs;
}

async function readOwner(path: string): Promise<Owner | null> {
  try {
    return ownerSchema.parse(JSON.parse(await readFile(path, 'utf8')));
  } catch {
    return null;
  }
}

function self(token: string): Owner {
  return { token, pid: process.pid, start: processStart(process.pid) ?? '', scope: processScope() };
}

/** Processes of one scope can look each other up by pid. */
function processScope(): string {
  const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
  return `${hostname()} ${boot} ${readlinkSync('/proc/self/ns/pid')}`;
}

/** Start time in clock ticks since boot, which tells a process from a later one of the same pid; null: none. */
function processStart(pid: number): string | null {
  try {
    // proc(5): field 22, counted after the command name, which may hold spaces and parentheses.
    const line = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = line.slice(line.lastIndexOf(')') + 2).split(' ');
    return fields[0] === 'Z' ? null : (fields[19] ?? null);
  } catch {
    return null;
  }
}
