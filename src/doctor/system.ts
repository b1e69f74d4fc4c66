import { readFileSync } from 'node:fs';
import { release } from 'node:os';
import { formatBytes } from '../models/index.js';
import { usableCores } from '../support/cpus.js';
import { type Check, fail, ok, warn } from './check.js';

const minNodeMajor = 20;
/** Below this even the smallest models swap. */
const minMemoryBytes = 1e9;

export function checkSystem(): Check[] {
  return [checkNode(process.versions.node), checkPlatform(), checkGlibc(), checkCpu(), checkMemory()];
}

export function checkNode(version: string): Check {
  if (Number.parseInt(version, 10) >= minNodeMajor) return ok('Node.js', version);
  return fail('Node.js', version, `Install Node.js ${minNodeMajor} or newer.`);
}

function checkPlatform(): Check {
  const detail = `${process.platform} ${process.arch}, kernel ${release()}`;
  if (process.platform === 'linux' && ['x64', 'arm64'].includes(process.arch)) return ok('System', detail);
  return fail('System', detail, 'Sluice runs on Linux, x64 or arm64.');
}

function checkGlibc(): Check {
  const header = (process.report.getReport() as { header?: { glibcVersionRuntime?: string } }).header;
  const version = header?.glibcVersionRuntime;
  if (version !== undefined) return ok('C library', `glibc ${version}`);
  return fail(
    'C library',
    'not glibc',
    'The prebuilt libraries need glibc (not musl): use Debian, Ubuntu, Fedora or similar.',
  );
}

function checkCpu(): Check {
  const { model, features } = parseCpuInfo(readText('/proc/cpuinfo'));
  const detail = `${model}, ${usableCores()} cores for Sluice, ${features.join(' ') || 'no vector instructions known'}`;
  if (process.arch !== 'x64' || features.includes('avx2')) return ok('CPU', detail);
  return warn('CPU', detail, 'Without AVX2 models run several times slower.');
}

/** The vector instructions that llama.cpp's kernels tell apart. */
const knownFeatures = [
  'sse4_2',
  'avx',
  'avx2',
  'f16c',
  'fma',
  'avx512f',
  'avx512_vnni',
  'avx512_bf16',
  'amx_int8',
  'asimddp',
  'i8mm',
  'sve',
];

export function parseCpuInfo(text: string): { model: string; features: string[] } {
  const model = /^model name\s*:\s*(.+)$/m.exec(text)?.[1] ?? 'unknown model';
  const flags = new Set((/^(?:flags|Features)\s*:\s*(.+)$/m.exec(text)?.[1] ?? '').split(' '));
  return { model, features: knownFeatures.filter((feature) => flags.has(feature)) };
}

function checkMemory(): Check {
  // Both of the machine and of its cgroup: the smaller one counts.
  const total = /^MemTotal:\s+(\d+) kB/m.exec(readText('/proc/meminfo'))?.[1];
  const totalBytes = Math.min(
    Number(total ?? 0) * 1024,
    process.constrainedMemory() || Number.POSITIVE_INFINITY,
  );
  const available = process.availableMemory();
  const detail = `${formatBytes(available)} of ${formatBytes(totalBytes)} available`;
  if (available >= minMemoryBytes) return ok('Memory', detail);
  return warn('Memory', detail, 'Free some, or use a smaller model.');
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
