import { closeSync, openSync, readSync, rmSync } from 'node:fs';
import type Libsql from 'libsql';
import { writeTransaction } from '../../support/write-transaction.js';
import type { LedgerTables } from '../ledger-tables.js';
import type { LedgerEntry } from '../types.js';
import { journalFile, journalNumbers } from './files.js';

/** Of the journal, applied in one transaction. */
const BATCH_BYTES = 2 ** 20;

const NEWLINE = '\n'.charCodeAt(0);

/** How far the journal was applied. */
interface Position {
  number: number; // of a file
  bytes: number; // of that file
}

/**
 * Brings what the journal holds into the ledger. How far it came is kept in the same transaction as the rows, so each entry is
 * applied once, whichever processes do it and wherever they are killed.
 */
export class JournalReader {
  readonly #directory: string;
  readonly #database: Libsql.Database;
  readonly #ledger: LedgerTables;
  readonly #statements;

  constructor(directory: string, database: Libsql.Database, ledger: LedgerTables) {
    this.#directory = directory;
    this.#database = database;
    this.#ledger = ledger;
    this.#statements = {
      position: database.prepare('SELECT file AS number, bytes FROM journal'),
      move: database.prepare('UPDATE journal SET file = ?, bytes = ?'),
    };
  }

  /** The number for the file of a process that begins to write. */
  nextNumber(): number {
    return Math.max(this.#position().number, ...journalNumbers(this.#directory)) + 1;
  }

  /** Returns how many lines were no entries: a power failure can leave some that never came to the disk. */
  apply(): number {
    const numbers = journalNumbers(this.#directory); // before any is read: what has a successor is complete
    let refused = 0;
    for (const number of numbers) {
      for (let batch = this.#applyBatch(number); batch !== null; batch = this.#applyBatch(number))
        refused += batch;
    }
    for (const number of numbers.slice(0, -1)) rmSync(journalFile(this.#directory, number), { force: true });
    return refused;
  }

  /** Returns how many lines were refused; null: there is nothing more in this file. */
  #applyBatch(number: number): number | null {
    return writeTransaction(this.#database, () => {
      const position = this.#position();
      if (number < position.number) return null;
      const begin = number === position.number ? position.bytes : 0;
      const { bytes, lines } = readLines(journalFile(this.#directory, number), begin);
      if (bytes === 0) return null;
      this.#statements.move.run([number, begin + bytes]);
      return lines.length - this.#ledger.insert(lines.flatMap(entryOf));
    });
  }

  #position(): Position {
    return this.#statements.position.get() as Position;
  }
}

/** The whole lines of the next batch, and how many bytes they are. */
function readLines(file: string, position: number): { bytes: number; lines: string[] } {
  const read = readFrom(file, position);
  const bytes = read.lastIndexOf(NEWLINE) + 1;
  return { bytes, lines: read.toString('utf8', 0, bytes).split('\n').slice(0, -1) };
}

function readFrom(file: string, position: number): Buffer {
  let descriptor: number;
  try {
    descriptor = openSync(file, 'r');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return Buffer.alloc(0); // another process has finished it
    throw error;
  }
  try {
    const buffer = Buffer.allocUnsafe(BATCH_BYTES);
    return buffer.subarray(0, readSync(descriptor, buffer, 0, BATCH_BYTES, position));
  } finally {
    closeSync(descriptor);
  }
}

function entryOf(line: string): LedgerEntry[] {
  try {
    return [JSON.parse(line) as LedgerEntry];
  } catch {
    return [];
  }
}
