import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';

/**
 * Physical cores that this process may use: two hyperthreads share the units that matrix products keep busy, so a
 * thread on each only adds switching. Bounded by the affinity mask and by the cgroup's CPU quota.
 */
export function usableCores(): number {
  return Math.max(1, Math.min(availableParallelism(), cgroupQuota(), physicalCores()));
}

const MAX_THREADS_BESIDE = 4;

/** Threads for a small model beside an engine, which needs its own: more gain little at such sizes. */
export function threadsBesideEngine(): number {
  return Math.min(MAX_THREADS_BESIDE, Math.ceil(usableCores() / 2));
}

/** CPUs of the cgroup's quota (v2's cpu.max: "quota period" in microseconds, or "max"). */
function cgroupQuota(): number {
  const [quota, period] = read('/sys/fs/cgroup/cpu.max').split(' ');
  const cpus = Number(quota) / Number(period);
  return Number.isFinite(cpus) && cpus > 0 ? Math.ceil(cpus) : Number.POSITIVE_INFINITY;
}

function physicalCores(): number {
  const cores = new Set<string>();
  for (const cpu of allowedCpus()) {
    const siblings = read(`/sys/devices/system/cpu/cpu${cpu}/topology/thread_siblings_list`).trim();
    if (siblings !== '') cores.add(siblings);
  }
  return cores.size > 0 ? cores.size : Number.POSITIVE_INFINITY;
}

/** From "Cpus_allowed_list: 0-3,8" in /proc/self/status. */
function allowedCpus(): number[] {
  const list = /^Cpus_allowed_list:\s*(\S+)/m.exec(read('/proc/self/status'))?.[1] ?? '';
  return list.split(',').flatMap((range) => {
    const [first = Number.NaN, last = first] = range.split('-').map(Number);
    return Number.isNaN(first) ? [] : Array.from({ length: last - first + 1 }, (_, i) => first + i);
  });
}

/** '' where there is no such file: another kernel, another cgroup version. */
function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
