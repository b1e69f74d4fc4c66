import { randomUUID } from 'node:crypto';
import type Libsql from 'libsql';
import { writeTransaction } from '../support/write-transaction.js';
import type { LedgerTables } from './ledger-tables.js';
import type { HandOff, LedgerEntry } from './types.js';

/** Where a gateway of a cluster is in the shared ledger, and entries of its own that aren't there yet. */
export class HandOffTables {
  readonly #database: Libsql.Database;
  readonly #ledger: LedgerTables;
  readonly #statements;

  constructor(database: Libsql.Database, ledger: LedgerTables) {
    this.#database = database;
    this.#ledger = ledger;
    this.#statements = {
      reader: database.prepare('SELECT id FROM hand_off_reader'),
      setReader: database.prepare('INSERT OR IGNORE INTO hand_off_reader VALUES (1, ?)'),
      positions: database.prepare('SELECT shard, position FROM hand_off'),
      setPosition: database.prepare('INSERT OR REPLACE INTO hand_off VALUES (?, ?)'),
      keep: database.prepare('INSERT OR REPLACE INTO unsettled VALUES (?, ?)'),
      drop: database.prepare('DELETE FROM unsettled WHERE id = ?'),
      unsettled: database.prepare('SELECT body FROM unsettled'),
    };
  }

  /** From now on, no entry is kept twice. */
  begin(): HandOff {
    this.#ledger.refuseRepeats();
    this.#statements.setReader.run(randomUUID());
    const { id } = this.#statements.reader.get() as { id: string };
    const rows = this.#statements.positions.all() as { shard: number; position: string }[];
    return { reader: id, positions: new Map(rows.map(({ shard, position }) => [shard, position])) };
  }

  /** Entries up to a position, and the position, or neither. */
  append(shard: number, position: string, entries: readonly LedgerEntry[]): void {
    writeTransaction(this.#database, () => {
      this.#ledger.appendMissing(entries);
      this.#statements.setPosition.run(shard, position);
    });
  }

  keepUnsettled(entry: LedgerEntry): void {
    this.#statements.keep.run(entry.id, JSON.stringify(entry));
  }

  dropUnsettled(id: string): void {
    this.#statements.drop.run(id);
  }

  unsettled(): LedgerEntry[] {
    const rows = this.#statements.unsettled.all() as { body: string }[];
    return rows.map(({ body }) => JSON.parse(body) as LedgerEntry);
  }
}
