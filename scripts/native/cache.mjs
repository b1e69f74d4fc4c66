/** A cache of build results on disk: a folder per content hash, complete or absent. */
import { createHash } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
} from 'node:fs';
import { homedir } from 'node:os';
import path from 'node:path';

/** A draft this old belongs to a build that died. */
const DRAFT_AGE_MAX_MS = 6 * 3600 * 1000;
/** Entries of one kind kept; the least recently used go first. */
const ENTRIES_MAX = 4;

export function cacheRoot() {
  return process.env.SLUICE_CACHE || path.join(homedir(), '.cache', 'sluice');
}

export function nativeCache() {
  return path.join(cacheRoot(), 'native');
}

/** Hash of texts and of the files under the given paths (names and contents). */
export function contentHash(texts, paths) {
  const hash = createHash('sha256');
  for (const text of texts) hash.update(`${text.length}:${text}`);
  for (const file of paths) {
    const content = readFileSync(file);
    hash.update(`${path.basename(file)}:${content.length}:`).update(content);
  }
  return hash.digest('hex').slice(0, 20);
}

/** The cached folder `kind-key`, made by `build(draft)` where it isn't there yet. Safe against concurrent builds. */
export async function cached(kind, key, build) {
  const parent = nativeCache();
  const entry = path.join(parent, `${kind}-${key}`);
  if (existsSync(entry)) {
    touch(entry);
    return { entry, built: false };
  }
  mkdirSync(parent, { recursive: true });
  const draft = path.join(parent, `.draft-${kind}-${key}-${process.pid}`);
  rmSync(draft, { recursive: true, force: true });
  mkdirSync(draft);
  try {
    await build(draft);
    publish(draft, entry);
  } finally {
    rmSync(draft, { recursive: true, force: true });
  }
  prune(parent, kind, entry);
  return { entry, built: true };
}

/** Whoever comes second with the same key throws its own copy away: both hold the same content. */
function publish(draft, entry) {
  try {
    renameSync(draft, entry);
  } catch (error) {
    if (error.code !== 'ENOTEMPTY' && error.code !== 'EEXIST') throw error;
  }
}

function touch(entry) {
  const now = new Date();
  try {
    utimesSync(entry, now, now);
  } catch {
    // A read-only cache is as good as any other.
  }
}

function prune(parent, kind, keep) {
  const age = (name) => Date.now() - statSync(path.join(parent, name)).mtimeMs;
  const remove = (name) => rmSync(path.join(parent, name), { recursive: true, force: true });
  const names = readdirSync(parent);
  for (const name of names.filter((candidate) => candidate.startsWith('.draft-'))) {
    if (age(name) > DRAFT_AGE_MAX_MS) remove(name);
  }
  const entries = names.filter((name) => name.startsWith(`${kind}-`) && path.join(parent, name) !== keep);
  entries.sort((a, b) => age(a) - age(b));
  for (const name of entries.slice(ENTRIES_MAX - 1)) remove(name);
}
