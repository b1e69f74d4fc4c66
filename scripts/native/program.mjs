/** C++ tests and benchmarks as programs of their own. */
import { spawnSync } from 'node:child_process';
import path from 'node:path';

const compiler = process.env.CXX ?? 'c++';

/** Ends this process where the command fails. */
export function runOrExit(command, commandArgs) {
  const { status, signal, error } = spawnSync(command, commandArgs, { stdio: 'inherit' });
  if (error) throw error;
  if (status !== 0) {
    console.error(`${path.basename(command)} failed (${signal ?? status})`);
    process.exit(1);
  }
}

/** The program's path. The libraries are found where they lie; loaded by the program, others find them too. */
export function compileProgram(program, flags, sources, libraries) {
  const rpaths = libraries.map((library) => `-Wl,-rpath,${path.dirname(library)}`);
  const all = ['-std=c++17', '-g', '-Wall', '-Wextra', '-pthread', ...flags, ...sources, '-o', program];
  runOrExit(compiler, [...all, '-Wl,--no-as-needed', ...libraries, ...rpaths]);
  return program;
}
