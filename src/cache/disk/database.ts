import { rmSync } from 'node:fs';
import { join } from 'node:path';
import type Libsql from 'libsql';
import { type IfMissing, openPrivateDatabase } from '../../support/private-database.js';
import { writeTransaction } from '../../support/write-transaction.js';
import type { CacheEntry, LevelStats, PurgeSelector } from '../types.js';

/** How long a write waits for another process's. */
const BUSY_TIMEOUT_MS = 2_000;
const SCHEMA_VERSION = 1;
/** Rows deleted, and pages given back, at one go: no look-up is to wait long. */
const BATCH_ROWS = 500;
const BATCH_PAGES = 2_000;
/** Purges of other processes are remembered for who hasn't heard of them yet. */
const PURGE_MEMORY_MS = 3_600_000;
/** An entry's use is noted at most so often: a look-up would else always write. */
const USE_STEP_MS = 60_000;

const schema = `
  CREATE TABLE entries (
    key TEXT PRIMARY KEY,
    tenant TEXT NOT NULL,
    model TEXT NOT NULL,
    prompt_head TEXT NOT NULL,
    stored_ms INTEGER NOT NULL,
    expires_ms INTEGER NOT NULL,
    used_ms INTEGER NOT NULL,
    bytes INTEGER NOT NULL,
    body BLOB NOT NULL
  ) STRICT;
  CREATE INDEX entries_by_expiry ON entries (expires_ms);
  CREATE INDEX entries_by_use ON entries (used_ms, bytes);

  -- Kept by triggers, so that it is right whichever process writes.
  CREATE TABLE totals (entries INTEGER NOT NULL, bytes INTEGER NOT NULL) STRICT;
  INSERT INTO totals VALUES (0, 0);
  CREATE TRIGGER entry_added AFTER INSERT ON entries BEGIN
    UPDATE totals SET entries = entries + 1, bytes = bytes + new.bytes;
  END;
  CREATE TRIGGER entry_removed AFTER DELETE ON entries BEGIN
    UPDATE totals SET entries = entries - 1, bytes = bytes - old.bytes;
  END;

  CREATE TABLE purges (id INTEGER PRIMARY KEY AUTOINCREMENT, selector TEXT NOT NULL, at_ms INTEGER NOT NULL) STRICT;

  PRAGMA user_version = ${SCHEMA_VERSION};
`;

/** An entry as it is stored. */
export interface DiskEntry extends Omit<CacheEntry, 'answer' | 'similarity' | 'bytes'> {
  body: Uint8Array; // the answer
}

export interface DiskBounds {
  maxEntries: number;
  maxBytes: number;
}

interface EntryRow {
  key: string;
  tenant: string;
  model: string;
  prompt_head: string;
  stored_ms: number;
  expires_ms: number;
  used_ms: number;
  body: Uint8Array;
}

interface ConnectOptions {
  ifMissing: IfMissing;
  furtherSchema?: string;
}

export type CacheDatabase = ReturnType<typeof openCacheDatabase>;

/**
 * The cache of a data folder. Everything here blocks: a server calls it on a worker, a command on its only thread. A file that
 * can't be read is begun anew: nothing in it can't be computed again.
 */
export function openCacheDatabase(directory: string, ifMissing: IfMissing = 'create') {
  const database = connect(join(directory, 'cache.db'), { ifMissing });
  const tables = new CacheTables(database);
  return {
    find: (key: string, nowMs: number) => tables.find(key, nowMs),
    put: (entries: readonly DiskEntry[], bounds: DiskBounds) => tables.put(entries, bounds),
    purge: (selector: PurgeSelector, nowMs: number) => tables.purge(selector, nowMs),
    purgesSince: (id: number) => tables.purgesSince(id),
    removeExpired: (nowMs: number) => tables.removeExpired(nowMs),
    stats: () => tables.stats(),
    close: () => {
      database.close();
    },
  };
}

/** Opens a file of entries, and of what `furtherSchema` keeps with them. */
export function connect(path: string, options: ConnectOptions): Libsql.Database {
  try {
    return open(path, options);
  } catch (error) {
    if (!['SQLITE_NOTADB', 'SQLITE_CORRUPT'].includes((error as { code?: string }).code ?? '')) throw error;
    for (const suffix of ['', '-wal', '-shm']) rmSync(path + suffix, { force: true });
    return open(path, options);
  }
}

function open(path: string, { ifMissing, furtherSchema = '' }: ConnectOptions): Libsql.Database {
  const database = openPrivateDatabase(path, ifMissing);
  database.pragma(`busy_timeout = ${BUSY_TIMEOUT_MS}`);
  database.pragma('auto_vacuum = INCREMENTAL'); // before anything is written
  database.pragma('journal_mode = WAL');
  // Outlives the process; after a power failure the last moments are computed again.
  database.pragma('synchronous = NORMAL');
  writeTransaction(database, () => {
    const { user_version: version } = database.prepare('PRAGMA user_version').get() as {
      user_version: number;
    };
    if (version === SCHEMA_VERSION) return;
    for (const table of ['entries', 'totals', 'purges']) database.exec(`DROP TABLE IF EXISTS ${table}`);
    database.exec(schema + furtherSchema);
  });
  return database;
}

/** Reads and writes entries; the caller owns the connection. */
export class CacheTables {
  readonly #database: Libsql.Database;
  readonly #statements;

  constructor(database: Libsql.Database) {
    this.#database = database;
    this.#statements = {
      find: database.prepare('SELECT * FROM entries WHERE key = ? AND expires_ms > ?'),
      use: database.prepare('UPDATE entries SET used_ms = ? WHERE key = ?'),
      remove: database.prepare('DELETE FROM entries WHERE key = ?'),
      insert: database.prepare('INSERT INTO entries VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)'),
      totals: database.prepare('SELECT entries, bytes FROM totals'),
      leastUsed: database.prepare('SELECT rowid AS id, bytes FROM entries ORDER BY used_ms LIMIT 1'),
      removeRow: database.prepare('DELETE FROM entries WHERE rowid = ?'),
      removeExpired: database.prepare(
        'DELETE FROM entries WHERE rowid IN (SELECT rowid FROM entries WHERE expires_ms <= ? LIMIT ?)',
      ),
      purge: database.prepare(
        `DELETE FROM entries WHERE (:tenant IS NULL OR tenant = :tenant) AND (:model IS NULL OR model = :model)
         AND substr(key, 1, length(:key)) = :key AND substr(prompt_head, 1, length(:promptPrefix)) = :promptPrefix`,
      ),
      notePurge: database.prepare('INSERT INTO purges (selector, at_ms) VALUES (?, ?)'),
      forgetPurges: database.prepare('DELETE FROM purges WHERE at_ms < ?'),
      purgesSince: database.prepare('SELECT id, selector FROM purges WHERE id > ? ORDER BY id'),
    };
  }

  find(key: string, nowMs: number): DiskEntry | null {
    const row = this.#statements.find.get(key, nowMs) as EntryRow | undefined;
    if (!row) return null;
    if (nowMs - row.used_ms >= USE_STEP_MS) this.#statements.use.run(nowMs, key);
    return {
      key,
      tenant: row.tenant,
      model: row.model,
      promptHead: row.prompt_head,
      storedAtMs: row.stored_ms,
      expiresAtMs: row.expires_ms,
      body: row.body,
    };
  }

  /** Beyond either bound, those go that weren't asked for longest. */
  put(entries: readonly DiskEntry[], bounds: DiskBounds): void {
    this.#write(() => {
      for (const entry of entries) this.#put(entry, bounds);
    });
  }

  /** Remembered under its id for other processes, which hold entries in memory. */
  purge({ tenant, model, key, promptPrefix }: PurgeSelector, nowMs: number): { id: number; dropped: number } {
    return this.#write(() => {
      const selector = { tenant, model, key, promptPrefix };
      this.#statements.forgetPurges.run(nowMs - PURGE_MEMORY_MS);
      const { lastInsertRowid } = this.#statements.notePurge.run(JSON.stringify(selector), nowMs);
      const { changes } = this.#statements.purge.run({
        tenant: tenant ?? null,
        model: model ?? null,
        key: key ?? '',
        promptPrefix: promptPrefix ?? '',
      });
      return { id: Number(lastInsertRowid), dropped: changes };
    });
  }

  purgesSince(id: number): { id: number; selector: PurgeSelector }[] {
    const rows = this.#statements.purgesSince.all(id) as { id: number; selector: string }[];
    return rows.map((row) => ({ id: row.id, selector: JSON.parse(row.selector) as PurgeSelector }));
  }

  /** At most a batch of them; returns how many. Space that is free goes back to the file system. */
  removeExpired(nowMs: number): number {
    const { changes } = this.#statements.removeExpired.run(nowMs, BATCH_ROWS);
    this.#database.pragma(`incremental_vacuum(${BATCH_PAGES})`);
    return changes;
  }

  stats(): LevelStats {
    const { entries, bytes } = this.#statements.totals.get() as LevelStats;
    return { entries, bytes };
  }

  #put(entry: DiskEntry, { maxEntries, maxBytes }: DiskBounds): void {
    const { key, tenant, model, promptHead, storedAtMs, expiresAtMs, body } = entry;
    const bytes = body.byteLength;
    if (bytes > maxBytes || maxEntries === 0) return;
    this.#statements.remove.run(key);
    this.#makeRoom(maxEntries - 1, maxBytes - bytes);
    this.#statements.insert.run(
      key,
      tenant,
      model,
      promptHead,
      storedAtMs,
      expiresAtMs,
      storedAtMs,
      bytes,
      body,
    );
  }

  #makeRoom(maxEntries: number, maxBytes: number): void {
    let { entries, bytes } = this.stats();
    while (entries > 0 && (entries > maxEntries || bytes > maxBytes)) {
      const row = this.#statements.leastUsed.get() as { id: number; bytes: number };
      this.#statements.removeRow.run(row.id);
      entries -= 1;
      bytes -= row.bytes;
    }
  }

  #write<T>(action: () => T): T {
    return writeTransaction(this.#database, action);
  }
}
