import { Option } from 'commander';
import { type Database, dataDirectory, openDatabase } from '../store/index.js';

export interface DataOptions {
  data?: string;
}

/** Which store a command works on: the one that `serve` uses with the same option or variable. */
export function dataOption(): Option {
  return new Option(
    '--data <dir>',
    'data folder (default: $XDG_DATA_HOME/sluice or ~/.local/share/sluice)',
  ).env('SLUICE_DATA_DIR');
}

export async function withDatabase<T>(
  { data }: DataOptions,
  work: (database: Database) => T | Promise<T>,
): Promise<T> {
  const database = openDatabase(dataDirectory(data ?? '', process.env));
  try {
    return await work(database);
  } finally {
    database.close();
  }
}
