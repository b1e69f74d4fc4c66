import { Presets, SingleBar } from 'cli-progress';
import { formatBytes } from './disk.js';

/** Tells whoever started a pull how it goes. */
export interface PullReporter {
  notice(message: string): void;
  progress(label: string, doneBytes: number, totalBytes: number | null): void;
  /** The transfer ended, well or not. */
  end(): void;
}

export const silentReporter: PullReporter = { notice() {}, progress() {}, end() {} };

export type ReporterStream = NodeJS.WritableStream & { isTTY?: boolean };

/** A progress bar on a terminal, plain lines elsewhere. */
export function createReporter(stream: ReporterStream = process.stderr): PullReporter {
  return stream.isTTY === true ? new BarReporter(stream) : new LineReporter(stream);
}

class BarReporter implements PullReporter {
  readonly #stream: ReporterStream;
  #bar: SingleBar | null = null;

  constructor(stream: ReporterStream) {
    this.#stream = stream;
  }

  notice(message: string): void {
    this.end();
    this.#stream.write(`${message}\n`);
  }

  progress(label: string, doneBytes: number, totalBytes: number | null): void {
    const payload = {
      label,
      done: formatBytes(doneBytes),
      size: totalBytes === null ? '?' : formatBytes(totalBytes),
    };
    const total = totalBytes ?? 0;
    if (this.#bar === null) {
      this.#bar = this.#createBar();
      this.#bar.start(total, doneBytes, payload);
      return;
    }
    this.#bar.setTotal(total);
    this.#bar.update(doneBytes, payload);
  }

  end(): void {
    this.#bar?.stop();
    this.#bar = null;
  }

  #createBar(): SingleBar {
    const format = '{label} [{bar}] {percentage}% {done} of {size}, {eta_formatted} left';
    return new SingleBar({ format, stream: this.#stream, hideCursor: true, etaBuffer: 200 }, Presets.legacy);
  }
}

/** A line per tenth; a download of unknown size per 100 MB. */
class LineReporter implements PullReporter {
  readonly #stream: ReporterStream;
  #transfer = '';
  #step = -1;

  constructor(stream: ReporterStream) {
    this.#stream = stream;
  }

  notice(message: string): void {
    this.#stream.write(`${message}\n`);
  }

  progress(label: string, doneBytes: number, totalBytes: number | null): void {
    const step = Math.floor(totalBytes ? (doneBytes / totalBytes) * 10 : doneBytes / 100e6);
    const transfer = `${label} ${totalBytes}`;
    if (transfer === this.#transfer && step <= this.#step) return;
    this.#transfer = transfer;
    this.#step = step;
    const size = totalBytes === null ? '' : ` of ${formatBytes(totalBytes)} (${step * 10}%)`;
    this.#stream.write(`${label}: ${formatBytes(doneBytes)}${size}\n`);
  }

  end(): void {
    this.#transfer = '';
    this.#step = -1;
  }
}
