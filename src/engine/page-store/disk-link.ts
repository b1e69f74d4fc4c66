import { MessageChannel, type MessagePort, receiveMessageOnPort, Worker } from 'node:worker_threads';
import type { DiskCommand, DiskReport, DiskWorkerData } from './disk-protocol.js';
import type { PageDisk } from './page-disk.js';

const maxQueuedBytes = 64 * 2 ** 20; // of pages that wait to be written: what is over is not kept

/** The engine thread's side of the disk worker. A worker that dies leaves a tier in which nothing is found. */
export class DiskLink implements PageDisk {
  /** The worker has ended: everything it was given is on the disk. */
  readonly ended: Promise<void>;
  private readonly port: MessagePort;
  private readonly known = new Set<string>();
  private readonly reading = new Set<string>();
  private readonly queued = new Map<string, number>(); // bytes of pages on their way to the disk
  private queuedBytes = 0;
  private found = false;
  private dead = false;

  constructor(
    directory: string,
    maxBytes: number,
    private readonly onFault: (error: Error) => void,
  ) {
    const { port1, port2 } = new MessageChannel();
    this.port = port1;
    this.port.unref();
    const workerData: DiskWorkerData = { port: port2, directory, maxBytes };
    const worker = new Worker(new URL('./disk-worker.js', import.meta.url), {
      workerData,
      transferList: [port2],
    });
    worker.on('error', onFault);
    this.ended = new Promise((resolve) => {
      worker.on('exit', () => {
        this.dead = true;
        resolve();
      });
    });
  }

  get isOpen(): boolean {
    return this.found || this.dead;
  }

  get isBusy(): boolean {
    return this.queuedBytes >= maxQueuedBytes;
  }

  has(key: string): boolean {
    return !this.dead && this.known.has(key);
  }

  write(key: string, bytes: Uint8Array): void {
    if (this.dead || this.isBusy || this.known.has(key) || this.queued.has(key)) return;
    const copy = bytes.slice();
    this.queued.set(key, copy.length);
    this.queuedBytes += copy.length;
    this.send({ type: 'write', key, bytes: copy }, [copy.buffer]);
  }

  read(keys: readonly string[]): void {
    for (const key of keys) {
      if (this.dead || this.reading.has(key)) continue;
      this.reading.add(key);
      this.send({ type: 'read', key });
    }
  }

  isReading(key: string): boolean {
    return !this.dead && this.reading.has(key);
  }

  poll(take: (key: string, bytes: Uint8Array | null, elapsedMs: number) => void): void {
    for (let next = receiveMessageOnPort(this.port); next; next = receiveMessageOnPort(this.port)) {
      this.takeReport(next.message as DiskReport, take);
    }
  }

  close(): void {
    this.send({ type: 'close' });
  }

  private send(command: DiskCommand, transfer: ArrayBuffer[] = []): void {
    this.port.postMessage(command, transfer);
  }

  private takeReport(report: DiskReport, take: Parameters<PageDisk['poll']>[0]): void {
    switch (report.type) {
      case 'found':
        for (const key of report.keys) this.known.add(key);
        this.found = true;
        return;
      case 'written':
        this.queuedBytes -= this.queued.get(report.key) ?? 0;
        this.queued.delete(report.key);
        if (report.kept) this.known.add(report.key);
        return;
      case 'removed':
        this.known.delete(report.key);
        return;
      case 'page':
        this.reading.delete(report.key);
        take(report.key, report.bytes, report.elapsedMs);
        return;
      case 'fault':
        this.onFault(new Error(report.message));
    }
  }
}
