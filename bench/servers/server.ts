import { type ChildProcess, spawn } from 'node:child_process';
import { createServer } from 'node:net';
import { basename } from 'node:path';

/** How to start a server for measuring. */
export interface ServerCommand {
  name: string;
  file: string;
  args: string[];
  env: Record<string, string>;
  readyPath: string; // answers 200 once the model is loaded
  startTimeoutMs: number;
}

const STOP_TIMEOUT_MS = 10_000;
const READY_POLL_MS = 50;
const LOG_TAIL_CHARS = 4_000;

/** A server in a process of its own, on loopback. */
export class ServerProcess {
  private logTail = '';
  private readonly exited: Promise<void>;

  private constructor(
    private readonly child: ChildProcess,
    readonly url: string,
    /** Without directories, fit for reports. */
    readonly commandLine: string,
  ) {
    this.exited = new Promise((resolve) => child.once('exit', () => resolve()));
    const keepTail = (chunk: Buffer) => {
      this.logTail = (this.logTail + chunk.toString()).slice(-LOG_TAIL_CHARS);
    };
    child.stdout?.on('data', keepTail);
    child.stderr?.on('data', keepTail);
  }

  /** Resolves when the server is ready; its process ends with ours. */
  static async start(port: number, command: ServerCommand): Promise<ServerProcess> {
    const child = spawn(command.file, command.args, {
      env: { ...process.env, ...command.env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const killWithUs = () => child.kill('SIGKILL');
    process.once('exit', killWithUs);
    child.once('exit', () => process.off('exit', killWithUs));
    const commandLine = [command.file, ...command.args].map(withoutDirectory).join(' ');
    const server = new ServerProcess(child, `http://127.0.0.1:${port}`, commandLine);
    try {
      await server.ready(command);
    } catch (error) {
      await server.stop();
      throw error;
    }
    return server;
  }

  get pid(): number {
    return this.child.pid!;
  }

  async stop(): Promise<void> {
    if (this.child.exitCode !== null || this.child.signalCode !== null || this.child.pid === undefined)
      return;
    this.child.kill('SIGTERM');
    const impatience = setTimeout(() => this.child.kill('SIGKILL'), STOP_TIMEOUT_MS);
    await this.exited;
    clearTimeout(impatience);
  }

  private async ready(command: ServerCommand): Promise<void> {
    let failed: string | null = null;
    this.child.once('error', (error) => {
      failed = error.message;
    });
    this.child.once('exit', (code, signal) => {
      failed ??= `it exited with ${signal ?? code}`;
    });
    const deadlineMs = performance.now() + command.startTimeoutMs;
    while (failed === null && performance.now() < deadlineMs) {
      if (await answersOk(`${this.url}${command.readyPath}`)) return;
      await new Promise((resolve) => setTimeout(resolve, READY_POLL_MS));
    }
    throw new Error(`${command.name} did not start: ${failed ?? 'timeout'}.\n${this.logTail}`);
  }
}

/** A TCP port that was free a moment ago. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once('error', reject);
    probe.listen(0, '127.0.0.1', () => {
      const address = probe.address();
      probe.close(() => resolve((address as { port: number }).port));
    });
  });
}

async function answersOk(url: string): Promise<boolean> {
  try {
    const answer = await fetch(url, { signal: AbortSignal.timeout(1000) });
    await answer.arrayBuffer();
    return answer.ok;
  } catch {
    return false;
  }
}

function withoutDirectory(argument: string): string {
  return argument.startsWith('/') ? basename(argument) : argument;
}
