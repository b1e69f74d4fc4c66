import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';

export type Outcome = { ok: true; output: string } | { ok: false; reason: string };

const timeoutMs = 20_000;

/** Runs a program to its end, at most 20 s. */
export function runProgram(program: string, args: string[]): Promise<Outcome> {
  return new Promise((resolve) => {
    execFile(program, args, { timeout: timeoutMs, maxBuffer: 2 ** 20 }, (error, stdout, stderr) => {
      if (error === null) return resolve({ ok: true, output: stdout.trim() });
      const lastLine = stderr.trim().split('\n').at(-1);
      resolve({ ok: false, reason: error.signal ? `killed by ${error.signal}` : lastLine || error.message });
    });
  });
}

/** What a probe beside this file prints as JSON. A process of its own: native code may crash in it. */
export async function runProbe<T>(
  name: string,
  parse: (output: unknown) => T,
): Promise<T | { failed: string }> {
  const script = fileURLToPath(new URL(`./probes/${name}.js`, import.meta.url));
  const outcome = await runProgram(process.execPath, [script]);
  if (!outcome.ok) return { failed: outcome.reason };
  try {
    return parse(JSON.parse(outcome.output));
  } catch {
    return { failed: 'its output could not be read' };
  }
}
