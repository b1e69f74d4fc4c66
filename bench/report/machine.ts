import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { availableParallelism, cpus, totalmem } from 'node:os';

/** Hardware only: nothing that names a host or a path. */
export interface Machine {
  cpuModel: string;
  cores: number;
  cpuFlags: string[]; // those that ggml's CPU variants look at
  memoryGiB: number;
  gpus: string[];
}

const KERNEL_FLAGS = /^(avx|avx2|f16c|fma|bmi2|avx_vnni|avx512\w*|amx_\w*|neon|asimd\w*|sve\w*|i8mm)$/;

export function describeMachine(): Machine {
  return {
    cpuModel: cpus()[0]?.model.trim() ?? 'unknown',
    cores: availableParallelism(),
    cpuFlags: cpuFlags(),
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    gpus: gpuNames(),
  };
}

function cpuFlags(): string[] {
  const line = /^(?:flags|Features)\s*:(.*)$/m.exec(readFileSync('/proc/cpuinfo', 'utf8'))?.[1] ?? '';
  return line.split(' ').filter((flag) => KERNEL_FLAGS.test(flag));
}

function gpuNames(): string[] {
  try {
    const names = execFileSync('nvidia-smi', ['--query-gpu=name', '--format=csv,noheader'], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
      timeout: 10_000,
    });
    return names.trim().split('\n');
  } catch {
    return [];
  }
}
