import { type MessagePort, receiveMessageOnPort } from 'node:worker_threads';
import type { Command, Reply, Report } from './protocol.js';
import type { EngineCore } from './step-loop.js';

const statsIntervalMs = 250;
const yieldIntervalMs = 100;
const flushMs = 5_000; // at the end, for bringing cached pages to the disk
const diskWaitMs = 1; // between looks at what has come from disk

/**
 * Runs an EngineCore on the messages of a port. While there is work it steps without returning to the event loop,
 * and reads the port between two steps; every `yieldIntervalMs` it lets the event loop turn once, for timers and for
 * a termination from outside. Without work it sleeps in the event loop until a message comes.
 */
export class EngineThread {
  private yielding = false; // the loop goes on by itself after one turn of the event loop
  private closing = false;
  private closed = false;
  private statsDueMs = 0;

  constructor(
    private readonly port: MessagePort,
    private readonly core: EngineCore,
    private readonly nowMs: () => number,
    private readonly onClose: () => void,
  ) {}

  start(): void {
    this.port.on('message', (command: Command) => {
      this.take(command);
      this.run();
    });
    this.run();
  }

  private run(): void {
    if (this.yielding || this.closed) return;
    const yieldAtMs = this.nowMs() + yieldIntervalMs;
    for (;;) {
      this.readPort(); // before the step: requests that came together start together
      if (!this.core.hasWork || this.closing) break;
      this.core.step();
      const nowMs = this.nowMs();
      // With the last of the work at once: whoever asks after its events finds it counted.
      if (nowMs >= this.statsDueMs || !this.core.hasWork) this.reportStats(nowMs);
      if (nowMs >= yieldAtMs || this.core.isBlocked) break;
    }
    this.core.flush();
    if (this.closing) void this.close();
    else if (this.core.hasWork) this.yield();
    else this.reportStats(this.nowMs());
  }

  private yield(): void {
    this.yielding = true;
    const goOn = () => {
      this.yielding = false;
      this.run();
    };
    if (this.core.isBlocked) setTimeout(goOn, diskWaitMs);
    else setImmediate(goOn);
  }

  private readPort(): void {
    for (
      let next = receiveMessageOnPort(this.port);
      next !== undefined;
      next = receiveMessageOnPort(this.port)
    ) {
      this.take(next.message as Command);
    }
  }

  private take(command: Command): void {
    switch (command.type) {
      case 'submit':
        this.core.submit(command.request);
        break;
      case 'cancel':
        this.core.cancel(command.id);
        break;
      case 'pin':
        this.core.pinPrefix(command.tenant, command.id, command.tokens, (result) =>
          this.reply(command.call, result),
        );
        break;
      case 'unpin':
        this.reply(command.call, this.core.unpinPrefix(command.tenant, command.id));
        break;
      case 'list':
        this.reply(command.call, this.core.listPrefixes(command.tenant));
        break;
      case 'ping':
        this.reportStats(this.nowMs());
        break;
      case 'close':
        this.closing = true;
    }
  }

  private reply(call: number, result: Reply): void {
    this.report({ type: 'reply', call, result });
  }

  private reportStats(nowMs: number): void {
    this.statsDueMs = nowMs + statsIntervalMs;
    this.report({ type: 'stats', stats: this.core.stats() });
  }

  private report(report: Report): void {
    this.port.postMessage(report);
  }

  private async close(): Promise<void> {
    this.closed = true;
    this.core.cancelAll();
    this.core.flush();
    await this.core.close(this.nowMs() + flushMs);
    this.onClose();
  }
}
