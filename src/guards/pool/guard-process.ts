import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { START_TIMEOUT_MS } from './check-pool.js';
import type { Job } from './job.js';
import type { DetectorSpecs, FromProcess, ToProcess } from './protocol.js';

const program = fileURLToPath(new URL('./check-process.js', import.meta.url));

/** Node.js itself needs about 100 MiB of what is limited: stacks of its threads, most of them never touched. */
const RUNTIME_BYTES = 128 * 2 ** 20;

/** The kernel limits all memory of the process, V8 that of its heap; a crash writes no core. */
const LIMITED = 'ulimit -d "$0" && ulimit -c 0 && exec "$@"';

export interface GuardProcessListener {
  /** It has started, or its job has ended. */
  onFree(process: GuardProcess): void;
  onEnd(process: GuardProcess, cause: Error): void;
}

/** A process for modules, which may do to it what they like. Buffers outside of its heap may take as much as the heap. */
export class GuardProcess {
  readonly ended: Promise<void>;
  isReady = false;
  /** What it was last given to do; null: nothing, or it is done. */
  job: Job | null = null;
  readonly #child: ChildProcess;
  readonly #listener: GuardProcessListener;

  constructor(specs: DetectorSpecs, heapBytes: number, listener: GuardProcessListener) {
    this.#listener = listener;
    const memoryKib = Math.ceil((2 * heapBytes + RUNTIME_BYTES) / 1024);
    const heapMib = Math.ceil(heapBytes / 2 ** 20);
    this.#child = fork(program, {
      execPath: '/bin/sh',
      execArgv: ['-c', LIMITED, `${memoryKib}`, process.execPath, `--max-old-space-size=${heapMib}`],
      serialization: 'advanced',
      stdio: ['ignore', 2, 2, 'ipc'],
    });
    const startTimer = setTimeout(() => this.kill(), START_TIMEOUT_MS);
    this.#child
      .on('message', (message: FromProcess) => this.#hear(message))
      .on('disconnect', () => this.kill()); // it won't say anything any more
    // "close" comes after all that it has said.
    this.ended = new Promise<Error>((resolve) => {
      this.#child.once('error', resolve);
      this.#child.once('close', (code, signal) =>
        resolve(new Error(`its process has ended: ${signal ?? code}`)),
      );
    }).then((cause) => {
      clearTimeout(startTimer);
      listener.onEnd(this, cause);
    });
    this.#tell({ kind: 'build', specs });
  }

  run(job: Job): void {
    this.job = job;
    this.#tell({ kind: 'check', task: job.task });
  }

  kill(): void {
    this.#child.kill('SIGKILL');
  }

  #tell(message: ToProcess): void {
    this.#child.send(message, () => undefined); // where it has ended, that is told by itself
  }

  #hear(message: FromProcess): void {
    switch (message.kind) {
      case 'ready':
        this.isReady = true;
        break;
      case 'running':
        if (this.job) this.job.running = message.detector;
        return;
      case 'done':
        this.job?.succeed(message.result);
        break;
      case 'failed':
        this.job?.fail('crashed', new Error(message.message));
        break;
      default:
        return; // said by a module
    }
    this.job = null;
    this.#listener.onFree(this);
  }
}
