import type Libsql from 'libsql';

/**
 * All of it or nothing. The package's own `transaction` also rolls back what SQLite has rolled back by itself, as on a full
 * disk; what is thrown then is that this can't be done.
 */
export function writeTransaction<T>(database: Libsql.Database, write: () => T): T {
  database.exec('BEGIN IMMEDIATE');
  try {
    const result = write();
    database.exec('COMMIT');
    return result;
  } catch (error) {
    if (database.inTransaction) database.exec('ROLLBACK');
    throw error;
  }
}
