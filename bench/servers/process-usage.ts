import { readFile } from 'node:fs/promises';

/** Of one process, from Linux's /proc. */
export interface ProcessUsage {
  rssMiB: number;
  peakRssMiB: number;
  cpuSeconds: number; // user and system, all threads
}

export const TICKS_PER_SECOND = 100; // USER_HZ, fixed in Linux's ABI

export async function readProcessUsage(pid: number): Promise<ProcessUsage> {
  const [status, stat] = await Promise.all([
    readFile(`/proc/${pid}/status`, 'utf8'),
    readFile(`/proc/${pid}/stat`, 'utf8'),
  ]);
  // The command name, in parentheses, may hold spaces; utime and stime are fields 14 and 15, 1-based (proc(5)).
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return {
    rssMiB: statusKiB(status, 'VmRSS') / 1024,
    peakRssMiB: statusKiB(status, 'VmHWM') / 1024,
    cpuSeconds: (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND,
  };
}

function statusKiB(status: string, name: string): number {
  return Number(new RegExp(`^${name}:\\s+(\\d+) kB$`, 'm').exec(status)?.[1] ?? Number.NaN);
}
