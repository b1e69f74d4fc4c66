import { Option } from 'commander';
import { type Database, dataDirectory, openDatabase } from '../store/index.js';
import type { IfMissing } from '../support/private-database.js';

export interface DataOptions {
  data?: string;
}

export interface StoreOptions extends DataOptions {
  /** Only a command that has something to keep makes a store where there is none; by default it is an empty one. */
  ifMissing?: IfMissing;
}

/** Which store a command works on: the one that `serve` uses with the same option or variable. */
export function dataOption(): Option {
  return new Option(
    '--data <dir>',
    'data folder (default: $XDG_DATA_HOME/sluice or ~/.local/share/sluice)',
  ).env('SLUICE_DATA_DIR');
}

export async function withDatabase<T>(
  { data, ifMissing = 'empty' }: StoreOptions,
  work: (database: Database) => T | Promise<T>,
): Promise<T> {
  const database = openDatabase(dataDirectory(data ?? '', process.env), ifMissing);
  try {
    return await work(database);
  } finally {
    database.close();
  }
}
