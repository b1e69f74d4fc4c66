import { closeSync, openSync, writeSync } from 'node:fs';
import type { LedgerEntry } from '../types.js';
import { journalFile } from './files.js';

/** Past so many bytes the next file is begun, so that those that were applied can go. */
const MAX_FILE_BYTES = 16 * 2 ** 20;

/**
 * Appends entries to files, each as a line of JSON. What is written outlives the process: it is in the operating system's
 * memory, after some microseconds on the caller's own thread.
 */
export class JournalWriter {
  readonly #directory: string;
  readonly #maxFileBytes: number;
  #number: number;
  #descriptor: number;
  #size = 0;

  /** `number` is greater than that of every file there was: what a killed process has left may end in half a line. */
  constructor(directory: string, number: number, maxFileBytes = MAX_FILE_BYTES) {
    this.#directory = directory;
    this.#maxFileBytes = maxFileBytes;
    this.#number = number;
    this.#descriptor = openSync(journalFile(directory, number), 'wx', 0o600);
  }

  /** What a call has written before it failed, the next one writes again: it has to begin with the same entries. */
  append(entries: readonly LedgerEntry[]): void {
    if (this.#size >= this.#maxFileBytes) this.#rotate();
    let lines = '';
    for (const entry of entries) lines += `${JSON.stringify(entry)}\n`;
    const bytes = Buffer.from(lines);
    for (let written = 0; written < bytes.length; )
      written += writeSync(this.#descriptor, bytes, written, bytes.length - written, this.#size + written);
    this.#size += bytes.length;
  }

  close(): void {
    closeSync(this.#descriptor);
  }

  #rotate(): void {
    const descriptor = openSync(journalFile(this.#directory, this.#number + 1), 'wx', 0o600);
    closeSync(this.#descriptor);
    this.#descriptor = descriptor;
    this.#number += 1;
    this.#size = 0;
  }
}
