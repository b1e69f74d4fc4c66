/** What the native build needs from the machine, and how it runs programs. */
import { execFileSync, spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';

/** Lines of a failed program's output that are shown. */
const SHOWN_LINES_MAX = 40;

export class BuildError extends Error {
  name = 'BuildError';
}

export const jobs = Math.max(1, Number(process.env.SLUICE_BUILD_JOBS) || availableParallelism());
export const compiler = process.env.CXX ?? 'c++';

/** First line of the compiler's version: part of every cache key. */
export function compilerVersion() {
  const version = firstLine(compiler, ['--version']);
  if (version === null)
    throw new BuildError(`No C++ compiler (${compiler}). Install it: apt-get install g++`);
  return version;
}

/** Throws one line a missing tool, all of them at once. */
export function requireBuildTools() {
  const missing = [];
  if (firstLine('cmake', ['--version']) === null)
    missing.push('No cmake. Install it: apt-get install cmake make');
  if (firstLine('git', ['--version']) === null) missing.push('No git. Install it: apt-get install git');
  if (firstLine('make', ['--version']) === null && firstLine('ninja', ['--version']) === null)
    missing.push('No make. Install it: apt-get install make');
  if (missing.length > 0) throw new BuildError(missing.join('\n'));
}

function firstLine(program, args) {
  try {
    return execFileSync(program, args, { stdio: ['ignore', 'pipe', 'ignore'] })
      .toString()
      .split('\n', 1)[0];
  } catch {
    return null;
  }
}

/** Runs a program with its output in `logFile`; a failure shows the log's end. */
export async function run(program, args, { cwd, logFile, env = process.env }) {
  const log = openSync(logFile, 'a');
  const code = await new Promise((resolve, reject) => {
    const child = spawn(program, args, { cwd, env, stdio: ['ignore', log, log] });
    child.on('error', reject);
    child.on('close', (status, signal) => resolve(status ?? signal));
  }).finally(() => closeSync(log));
  if (code === 0) return;
  const tail = readFileSync(logFile, 'utf8').trimEnd().split('\n').slice(-SHOWN_LINES_MAX).join('\n');
  throw new BuildError(`${program} ${args[0] ?? ''} failed (${code}):\n${tail}`);
}
