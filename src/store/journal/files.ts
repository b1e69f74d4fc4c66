import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

const pattern = /^ledger-(\d{8})\.journal$/;

/** The numbers of a folder's journal files, in the order in which they were written. */
export function journalNumbers(directory: string): number[] {
  if (!existsSync(directory)) return [];
  return readdirSync(directory)
    .flatMap((name) => pattern.exec(name)?.[1] ?? [])
    .map(Number)
    .sort((a, b) => a - b);
}

export function journalFile(directory: string, number: number): string {
  return join(directory, `ledger-${String(number).padStart(8, '0')}.journal`);
}
