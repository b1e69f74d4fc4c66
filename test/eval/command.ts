import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { projectRoot } from '../../src/support/root.js';
import { type Reply, says } from '../support/upstream.js';

export const evalEntry = join(projectRoot(), 'dist', 'src', 'cli', 'main.js');

type Started = ChildProcess & { output: string };

export interface Ran {
  code: number | null;
  output: string; // of both streams
}

/** `sluice eval` as it is called, with a folder of its own. */
export class EvalCommand implements Disposable {
  readonly folder = mkdtempSync(join(tmpdir(), 'sluice-eval-'));
  readonly data = join(this.folder, 'data');

  start(...args: string[]): Started {
    return this.#start(process.execPath, [evalEntry, 'eval', ...args], { SLUICE_DATA_DIR: this.data });
  }

  run(...args: string[]): Promise<Ran> {
    return this.#ended(this.start(...args));
  }

  spawn(file: string, args: string[], environment: Record<string, string>): Promise<Ran> {
    return this.#ended(this.#start(file, args, environment));
  }

  file(name: string): string {
    return join(this.folder, name);
  }

  suite(name: string, cases: object[]): string {
    const path = this.file(`${name}.yaml`);
    writeFileSync(path, JSON.stringify({ name, cases }));
    return path;
  }

  [Symbol.dispose](): void {
    rmSync(this.folder, { recursive: true, force: true });
  }

  #start(file: string, args: string[], environment: Record<string, string>): Started {
    const child = spawn(file, args, { env: { ...process.env, ...environment } });
    const started = Object.assign(child, { output: '' });
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (piece) => {
        started.output += String(piece);
      });
    return started;
  }

  async #ended(child: Started): Promise<Ran> {
    const [code] = (await once(child, 'close')) as [number | null];
    return { code, output: child.output };
  }
}

/** Cases that tell themselves apart, to which "yes" is right. */
export function numbered(count: number, more: object = {}): object[] {
  return Array.from({ length: count }, (_, index) => ({
    prompt: `case ${index} of some`,
    expected: 'yes',
    ...more,
  }));
}

/** Answers by the prompt. */
export function replies(answer: (prompt: string) => string | Reply): Reply {
  return (call, response) => {
    const said = answer(String(call.body.prompt));
    (typeof said === 'string' ? says(said) : said)(call, response);
  };
}
