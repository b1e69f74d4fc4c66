import { readFile } from 'node:fs/promises';
import { type ProcessUsage, readProcessUsage, TICKS_PER_SECOND } from './process-usage.js';

export interface CpuReading {
  atMs: number;
  machineSeconds: number; // busy time of all cores, time stolen by a hypervisor included
  ourSeconds: number; // this process
  server: ProcessUsage;
}

export interface ServerUsage {
  peakRssMiB: number;
  cpuCores: number; // busy on average
  otherCpuCores: number; // that neither the server nor we were using: above a few percent, figures are worth little
}

export async function readCpu(serverPid: number): Promise<CpuReading> {
  const [stat, server] = await Promise.all([readFile('/proc/stat', 'utf8'), readProcessUsage(serverPid)]);
  const { user, system } = process.cpuUsage(); // µs
  return {
    atMs: performance.now(),
    machineSeconds: busyTicks(stat) / TICKS_PER_SECOND,
    ourSeconds: (user + system) / 1e6,
    server,
  };
}

export function usageBetween(before: CpuReading, after: CpuReading): ServerUsage {
  const seconds = (after.atMs - before.atMs) / 1000;
  const server = after.server.cpuSeconds - before.server.cpuSeconds;
  const ours = after.ourSeconds - before.ourSeconds;
  const others = after.machineSeconds - before.machineSeconds - server - ours;
  return {
    peakRssMiB: after.server.peakRssMiB,
    cpuCores: server / seconds,
    otherCpuCores: Math.max(0, others / seconds),
  };
}

/** Sum of the first line but idle and iowait, its fields 4 and 5, and guest time, which user time holds already (proc(5)). */
function busyTicks(stat: string): number {
  const [user, nice, system, , , irq, softirq, steal] = stat
    .split('\n', 1)[0]!
    .split(/\s+/)
    .slice(1)
    .map(Number);
  return user! + nice! + system! + irq! + softirq! + steal!;
}
