import { join } from 'node:path';
import type Libsql from 'libsql';
import type { IfMissing } from '../../support/private-database.js';
import { CacheTables, connect, type DiskBounds, type DiskEntry } from '../disk/database.js';
import type { LevelStats, PurgeSelector } from '../types.js';
import type { AskedQuestion } from './asked.js';
import { agrees, candidates, type Judgement, type KnownQuestion } from './candidates.js';
import { isDoubtful } from './gate/gate.js';
import { VectorIndex } from './vector-index.js';

/** A question lives and dies with the answer to it. */
const questionsSchema = `
  DROP TABLE IF EXISTS questions;
  CREATE TABLE questions (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    key TEXT NOT NULL UNIQUE,
    scope TEXT NOT NULL,
    text TEXT NOT NULL,
    vector BLOB NOT NULL
  ) STRICT;
  CREATE TRIGGER question_removed AFTER DELETE ON entries BEGIN
    DELETE FROM questions WHERE key = old.key;
  END;
`;

/** Notes for this connection which questions it has removed, by whatever way. */
const goneSchema = `
  CREATE TEMP TABLE gone (id INTEGER NOT NULL);
  CREATE TEMP TRIGGER question_gone AFTER DELETE ON main.questions BEGIN
    INSERT INTO gone VALUES (old.id);
  END;
`;

export interface SimilarEntry {
  entry: DiskEntry;
  similarity: number;
}

/** What the gate refuses for want of words, perhaps. */
export interface DoubtfulEntry extends SimilarEntry {
  text: string; // of the question that it answers
}

export type SemanticDatabase = ReturnType<typeof openSemanticDatabase>;

/** Path of the file in a data folder. */
function semanticDatabasePath(directory: string): string {
  return join(directory, 'semantic-cache.db');
}

/** The answers alone, for commands. Their questions go with them; a running server sees it with the next look-up. */
export function openSemanticEntries(directory: string, ifMissing: IfMissing = 'create') {
  const database = connect(semanticDatabasePath(directory), { ifMissing, furtherSchema: questionsSchema });
  const entries = new CacheTables(database);
  return {
    purge: (selector: PurgeSelector, nowMs: number) => entries.purge(selector, nowMs),
    stats: () => entries.stats(),
    close: () => {
      database.close();
    },
  };
}

/** Answers with the vectors of their questions, in a file of the data folder and an index in memory. Everything here blocks. */
export function openSemanticDatabase(directory: string) {
  const database = connect(semanticDatabasePath(directory), {
    ifMissing: 'create',
    furtherSchema: questionsSchema,
  });
  const questions = new Questions(database);
  return {
    find: (asked: AskedQuestion, minCosine: number, nowMs: number) => questions.find(asked, minCosine, nowMs),
    findDoubtful: (asked: AskedQuestion, minCosine: number, nowMs: number) =>
      questions.findDoubtful(asked, minCosine, nowMs),
    put: (entry: DiskEntry, asked: AskedQuestion, bounds: DiskBounds) => questions.put(entry, asked, bounds),
    purge: (selector: PurgeSelector, nowMs: number) => questions.purge(selector, nowMs),
    removeExpired: (nowMs: number) => questions.removeExpired(nowMs),
    stats: () => questions.stats(),
    close: () => {
      database.close();
    },
  };
}

class Questions {
  readonly #entries: CacheTables;
  readonly #index = new VectorIndex();
  readonly #statements;
  #othersVersion = -1;

  constructor(database: Libsql.Database) {
    database.exec(goneSchema);
    this.#entries = new CacheTables(database);
    this.#statements = {
      question: database.prepare('SELECT key, text FROM questions WHERE id = ?'),
      insert: database.prepare(
        `INSERT INTO questions (key, scope, text, vector) SELECT ?, ?, ?, ?
         WHERE EXISTS (SELECT 1 FROM entries WHERE key = ?)`, // it may not be kept: too large, or purged already
      ),
      ids: database.prepare('SELECT id FROM questions'),
      load: database.prepare('SELECT scope, vector FROM questions WHERE id = ?'),
      gone: database.prepare('DELETE FROM gone RETURNING id'),
      othersVersion: database.prepare('PRAGMA data_version'),
    };
    this.#readOthers();
  }

  find(asked: AskedQuestion, minCosine: number, nowMs: number): SimilarEntry | null {
    return this.#nearest(asked, minCosine, nowMs, agrees);
  }

  findDoubtful(asked: AskedQuestion, minCosine: number, nowMs: number): DoubtfulEntry | null {
    return this.#nearest(asked, minCosine, nowMs, isDoubtful);
  }

  #nearest(asked: AskedQuestion, minCosine: number, nowMs: number, willDo: Judgement): DoubtfulEntry | null {
    this.#readOthers();
    const questionOf = (id: number) => this.#statements.question.get(id) as KnownQuestion | undefined;
    for (const { key, text, cosine } of candidates(this.#index, questionOf, asked, minCosine, willDo)) {
      const entry = this.#entries.find(key, nowMs);
      if (entry) return { entry, similarity: Math.min(1, cosine), text };
    }
    return null;
  }

  put(entry: DiskEntry, { scope, text, vector }: AskedQuestion, bounds: DiskBounds): void {
    this.#write(() => this.#entries.put([entry], bounds));
    const { changes, lastInsertRowid: id } = this.#statements.insert.run(
      entry.key,
      scope,
      text,
      bytesOf(vector),
      entry.key,
    );
    if (changes > 0) this.#index.add(scope, Number(id), vector);
  }

  purge(selector: PurgeSelector, nowMs: number): number {
    return this.#write(() => this.#entries.purge(selector, nowMs).dropped);
  }

  /** At most a batch of them; returns how many. */
  removeExpired(nowMs: number): number {
    return this.#write(() => this.#entries.removeExpired(nowMs));
  }

  stats(): LevelStats {
    return this.#entries.stats();
  }

  /** What goes from the table goes from the index. */
  #write<T>(action: () => T): T {
    const result = action();
    for (const { id } of this.#statements.gone.all() as { id: number }[]) this.#index.remove(id);
    return result;
  }

  /** A command that purges, or a server that shares the folder, may have written. O(1) where none has, else O(n) over ids. */
  #readOthers(): void {
    const { data_version: version } = this.#statements.othersVersion.get() as { data_version: number };
    if (version === this.#othersVersion) return;
    this.#othersVersion = version;
    const stored = new Set((this.#statements.ids.all() as { id: number }[]).map(({ id }) => id));
    for (const id of [...this.#index.ids()]) if (!stored.has(id)) this.#index.remove(id);
    for (const id of stored) {
      if (this.#index.has(id)) continue;
      const { scope, vector } = this.#statements.load.get(id) as { scope: string; vector: Uint8Array };
      this.#index.add(scope, id, numbersOf(vector));
    }
  }
}

function bytesOf({ buffer, byteOffset, byteLength }: Float32Array): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}

/** A copy: a row's bytes needn't be aligned. */
function numbersOf(bytes: Uint8Array): Float32Array {
  return new Float32Array(Uint8Array.from(bytes).buffer);
}
