import { statSync } from 'node:fs';
import { type GgufHeader, readGgufHeader, type TensorEntry } from '../gguf/header.js';
import { formatBytes } from '../models/index.js';
import { blockRules } from './blocks.js';
import type { Machine } from './machine.js';
import { measure, type Verdict, workloadOf } from './measure.js';
import { planRepack, type RepackPlan, rewritable } from './plan.js';
import type { VerdictCache } from './verdict-cache.js';

export type RepackMode = 'auto' | 'on' | 'off';

/** Whether a model is to be rewritten, and why, in a few words. */
export type Assessment =
  | { repack: false; reason: string }
  | { repack: true; reason: string; types: number[]; header: GgufHeader; plan: RepackPlan };

/** Share of the available memory that the larger model may take: the KV pool takes a quarter. */
const memoryShare = 1 / 2;

export interface AssessTools {
  /** Called only where the answer depends on the machine. */
  machine: () => Machine;
  verdicts: VerdictCache;
  /** False: a measurement is not kept on the disk. */
  remember: boolean;
}

/** Changes nothing but the cache of measurements. Throws model_checksum_mismatch for a file that isn't whole. */
export async function assess(path: string, mode: RepackMode, tools: AssessTools): Promise<Assessment> {
  if (mode === 'off') return keep('switched off');
  const header = readGgufHeader(path);
  const byType = groupByType(rewritable(header));
  if (byType.size === 0) return keep('no weights of a type that Q8_0 could stand for');
  if (header.parts > 1) return keep('the model is split into several files');
  if (mode === 'on') return rewrite(header, [...byType.keys()], 'switched on');
  const machine = tools.machine();
  if (machine.usesGpu) return keep('the model runs on the GPU');
  if (machine.packsWeights(statSync(path).size)) return keep('our own kernels multiply them as fast');
  const verdicts: Verdict[] = [];
  for (const [type, tensors] of byType) verdicts.push(await judge(type, tensors, machine, tools));
  const types = verdicts.filter(({ pays }) => pays === true).map(({ type }) => type);
  const reason = verdicts.map(describe).join('; ');
  if (types.length === 0) return keep(reason);
  const { plan } = rewrite(header, types, reason);
  if (plan.fileBytes > machine.memoryAvailableBytes * memoryShare)
    return keep(`${reason}, but ${formatBytes(plan.fileBytes)} would take too much of the memory`);
  return { repack: true, reason, types, header, plan };
}

function keep(reason: string): { repack: false; reason: string } {
  return { repack: false, reason };
}

function rewrite(header: GgufHeader, types: number[], reason: string) {
  return { repack: true as const, reason, types, header, plan: planRepack(header, new Set(types)) };
}

function groupByType(tensors: TensorEntry[]): Map<number, TensorEntry[]> {
  const groups = new Map<number, TensorEntry[]>();
  for (const tensor of tensors) {
    const group = groups.get(tensor.type);
    if (group === undefined) groups.set(tensor.type, [tensor]);
    else group.push(tensor);
  }
  return groups;
}

async function judge(
  type: number,
  tensors: TensorEntry[],
  machine: Machine,
  { verdicts, remember }: AssessTools,
): Promise<Verdict> {
  const workload = workloadOf(type, tensors);
  const known = await verdicts.find(machine.cpu, workload);
  if (known !== null) return known;
  const verdict = measure(workload, machine.cpu.threads, machine.timeMatmuls);
  if (remember && verdict.pays !== null) await verdicts.keep(machine.cpu, workload, verdict);
  return verdict;
}

function describe({ type, decode, batch, prompt, pays }: Verdict): string {
  const ratios = [decode, batch, prompt].map((ratio) => `${ratio.toFixed(2)}×`).join(', ');
  const speed = `Q8_0's products run at ${ratios} the speed of ${blockRules.get(type)!.name}'s (1, 32, 256 tokens)`;
  if (pays === null) return `${speed}, but this machine is too busy to be sure`;
  if (pays) return speed;
  return prompt > 1
    ? `${speed}: not worth it, unless prompts are all (--repack on)`
    : `${speed}: not worth it`;
}
