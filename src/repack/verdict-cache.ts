import { createHash, randomUUID } from 'node:crypto';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import type { Verdict, Workload } from './measure.js';

const verdictSchema = z.object({
  type: z.int(),
  decode: z.number(),
  batch: z.number(),
  prompt: z.number(),
  pays: z.boolean(),
});

/** What a measurement holds for: the kernels, the CPU that runs them, and how they are run. */
export interface Cpu {
  llamaRelease: string;
  cpuVariant: string;
  cpuModel: string;
  threads: number;
}

/** Verdicts on disk, one small file for each CPU and workload. */
export class VerdictCache {
  constructor(private readonly directory: string) {}

  async find(cpu: Cpu, workload: Workload): Promise<Verdict | null> {
    try {
      return verdictSchema.parse(JSON.parse(await readFile(this.#path(cpu, workload), 'utf8')));
    } catch {
      return null; // never measured, or damaged: measuring again costs less than a second
    }
  }

  async keep(cpu: Cpu, workload: Workload, verdict: Verdict): Promise<void> {
    const path = this.#path(cpu, workload);
    const draft = `${path}.${randomUUID()}`;
    await mkdir(this.directory, { recursive: true });
    await writeFile(draft, `${JSON.stringify({ ...verdict, cpu, workload })}\n`);
    await rename(draft, path);
  }

  #path(cpu: Cpu, workload: Workload): string {
    const { llamaRelease, cpuVariant, cpuModel, threads } = cpu;
    const { type, inputs, outputs, copies } = workload;
    const key = [1, llamaRelease, cpuVariant, cpuModel, threads, type, inputs, outputs, copies];
    const hash = createHash('sha256').update(JSON.stringify(key)).digest('hex');
    return join(this.directory, `${hash.slice(0, 24)}.json`);
  }
}
