import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** The wall clock of one process, by libfaketime. Monotonic clocks go on as they are, as when an administrator sets the time. */
export interface Clock {
  readonly environment: Record<string, string>;
  /** So many seconds from the true time, from now on. */
  step(seconds: number): void;
  close(): void;
}

export function steppableClock(): Clock {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-clock-'));
  const file = join(folder, 'offset');
  const step = (seconds: number) => writeFileSync(file, `${seconds < 0 ? '-' : '+'}${Math.abs(seconds)}s\n`);
  step(0);
  return {
    environment: {
      // Redis's allocator asks for the time before libfaketime can tell it; the C library's own doesn't.
      LD_PRELOAD: `${library()} libc.so.6`,
      FAKETIME_TIMESTAMP_FILE: file,
      FAKETIME_NO_CACHE: '1',
      FAKETIME_DONT_FAKE_MONOTONIC: '1',
    },
    step,
    close: () => rmSync(folder, { recursive: true, force: true }),
  };
}

function library(): string {
  const found = readdirSync('/usr/lib')
    .map((folder) => join('/usr/lib', folder, 'faketime', 'libfaketimeMT.so.1'))
    .find(existsSync);
  if (found === undefined) throw new Error('libfaketime is missing: apt-get install faketime');
  return found;
}
