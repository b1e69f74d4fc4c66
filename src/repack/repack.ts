import { dirname, join } from 'node:path';
import { SluiceError } from '../errors.js';
import { ensureSpace, type FreeBytes, formatBytes } from '../models/disk.js';
import { type Assessment, assess, type RepackMode } from './assess.js';
import { writeRepacked } from './convert.js';
import type { Machine } from './machine.js';
import { RepackedStore, type Source } from './repacked-store.js';
import { VerdictCache } from './verdict-cache.js';

/** The file to load, and in words why that one. */
export interface RepackOutcome {
  path: string;
  isRepacked: boolean;
  detail: string;
}

export interface RepackTools {
  machine: () => Machine;
  directory: string; // of rewritten models and measurements
  freeBytes: FreeBytes;
  /** Stops the rewriting; the draft goes. */
  signal: AbortSignal;
  /** Told before a file is written, which takes a second for each few hundred megabytes. */
  onWriting: (detail: string) => void;
}

/**
 * The model file, or its rewritten copy, made if need be. In mode 'auto' whatever stands in the way leaves the original;
 * in mode 'on' it is thrown: model_checksum_mismatch, insufficient_storage, internal_error.
 */
export async function repack(source: Source, mode: RepackMode, tools: RepackTools): Promise<RepackOutcome> {
  try {
    return await repackOrThrow(source, mode, tools);
  } catch (error) {
    if (mode === 'on') throw asSluiceError(error);
    return original(source, `kept as they are: ${reasonOf(error)}`);
  }
}

/** What `repack` would answer in mode 'auto', without writing anything. */
export async function previewRepack(
  source: Source,
  tools: Pick<RepackTools, 'machine' | 'directory'>,
): Promise<string> {
  try {
    const assessment = await assess(source.path, 'auto', assessTools(tools, false));
    if (!assessment.repack) return `kept as they are: ${assessment.reason}`;
    const store = new RepackedStore(tools.directory);
    const path = store.pathOf(source, assessment.types);
    const isThere = await store.has(path, assessment.plan.fileBytes);
    return `${describe(assessment)}${isThere ? `, in ${path}` : ', at the next start'}`;
  } catch (error) {
    return `kept as they are: ${reasonOf(error)}`;
  }
}

async function repackOrThrow(source: Source, mode: RepackMode, tools: RepackTools): Promise<RepackOutcome> {
  const assessment = await assess(source.path, mode, assessTools(tools, true));
  if (!assessment.repack) return original(source, `kept as they are: ${assessment.reason}`);
  const { types, header, plan } = assessment;
  const store = new RepackedStore(tools.directory);
  const path = store.pathOf(source, types);
  const detail = describe(assessment);
  if (!(await store.has(path, plan.fileBytes))) {
    await store.make(source, path, plan.fileBytes, tools.signal, async (draft, signal) => {
      await ensureSpace(dirname(draft), plan.fileBytes, tools.freeBytes);
      tools.onWriting(`${detail}; writing ${formatBytes(plan.fileBytes)}, once`);
      await writeRepacked(source.path, header, plan, draft, signal);
    });
  }
  return { path, isRepacked: true, detail };
}

function assessTools({ machine, directory }: Pick<RepackTools, 'machine' | 'directory'>, remember: boolean) {
  return { machine, verdicts: new VerdictCache(join(directory, 'measurements')), remember };
}

function describe({ plan, reason }: Assessment & { repack: true }): string {
  const tensors = plan.tensors.filter(({ type, source }) => type !== source.type);
  const growth = tensors.reduce((sum, { bytes, source }) => sum + bytes - source.bytes, 0);
  return `${tensors.length} tensors as Q8_0 (+${formatBytes(growth)}): ${reason}`;
}

function original(source: Source, detail: string): RepackOutcome {
  return { path: source.path, isRepacked: false, detail };
}

function asSluiceError(error: unknown): SluiceError {
  if (error instanceof SluiceError) return error;
  const message = `The model can't be rewritten (${reasonOf(error)}).`;
  return new SluiceError('internal_error', message, { cause: error });
}

function reasonOf(error: unknown): string {
  if (error instanceof SluiceError) return error.message;
  return (error as NodeJS.ErrnoException).code ?? (error as Error).message;
}
