import { createHash } from 'node:crypto';
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { SluiceError } from '../../errors.js';
import { ensureSpace } from '../disk.js';
import { download } from '../download.js';
import { hashFile } from '../partial-file.js';
import { modelStem } from '../reference.js';
import { modelFiles, wholeName } from '../split.js';
import type { Fetched, FetchedPart, SourceContext } from './source.js';

export interface RemoteFile {
  url: URL;
  authorization: string | null;
  sha256: string | null;
  bytes: number | null;
}

interface LocalPart extends FetchedPart {
  sha256: string;
  etag: string | null;
}

/** Names for the files of a model here, so that llama.cpp finds the parts of a split one beside each other. */
export function localNames(remotePath: string): string[] {
  const count = modelFiles(remotePath).length;
  const stem = modelStem(wholeName(remotePath));
  const digits = String(count).padStart(5, '0');
  return count === 1 ? [`${stem}.gguf`] : modelFiles(`${stem}-00001-of-${digits}.gguf`);
}

/** Fetches all files of a model: `remotes` in order, to the names that `remotePath` gives them. */
export async function fetchModelFiles(
  remotePath: string,
  remotes: readonly RemoteFile[],
  context: SourceContext,
): Promise<Fetched> {
  const [file = '', ...others] = localNames(remotePath);
  if (others.length === 0) return fetchWhole(file, remotes[0]!, context);
  if (context.expected.sha256 !== null) {
    throw new SluiceError('invalid_value', `${remotePath} is split; a catalog entry is of one file.`);
  }
  const parts = await fetchParts([file, ...others], remotes, context);
  const sha256 = createHash('sha256');
  for (const part of parts) sha256.update(part.sha256);
  return {
    file,
    sha256: sha256.digest('hex'),
    bytes: sumOf(parts.map((part) => part.bytes)),
    upstream: parts[0]!.etag,
    parts: parts.map(({ file: name, bytes }) => ({ file: name, bytes })),
  };
}

async function fetchWhole(file: string, remote: RemoteFile, context: SourceContext): Promise<Fetched> {
  const { etag, ...result } = await fetchFile(file, remote, context);
  return { ...result, upstream: etag, parts: [] };
}

async function fetchParts(
  files: readonly string[],
  remotes: readonly RemoteFile[],
  context: SourceContext,
): Promise<LocalPart[]> {
  const present: (LocalPart | null)[] = [];
  for (const [index, file] of files.entries()) present.push(await earlier(file, remotes[index]!, context));
  const missing = remotes.filter((_, index) => present[index] === null);
  await ensureSpace(context.directory, sumOf(missing.map(({ bytes }) => bytes ?? 0)), context.freeBytes);
  const parts: LocalPart[] = [];
  for (const [index, file] of files.entries()) {
    const maxBytes = context.maxBytes - sumOf(parts.map(({ bytes }) => bytes));
    parts.push(present[index] ?? (await fetchFile(file, remotes[index]!, { ...context, maxBytes })));
  }
  return parts;
}

/** A part that a pull broken later has brought. Only a checksum tells it from that of another version: O(bytes). */
async function earlier(file: string, remote: RemoteFile, context: SourceContext): Promise<LocalPart | null> {
  const path = join(context.directory, file);
  const size = (await stat(path).catch(() => null))?.size;
  if (remote.sha256 === null || size === undefined || size !== (remote.bytes ?? size)) return null;
  const sha256 = (await hashFile(path)).hash.digest('hex');
  return sha256 === remote.sha256 ? { file, bytes: size, sha256, etag: null } : null;
}

async function fetchFile(file: string, remote: RemoteFile, context: SourceContext): Promise<LocalPart> {
  const result = await download(
    {
      url: remote.url,
      authorization: remote.authorization,
      target: join(context.directory, file),
      sha256: context.expected.sha256 ?? remote.sha256,
      bytes: context.expected.bytes ?? remote.bytes,
      maxBytes: context.maxBytes,
    },
    { ...context, onProgress: (done, total) => context.reporter.progress(file, done, total) },
  );
  return { file, ...result };
}

function sumOf(numbers: readonly number[]): number {
  return numbers.reduce((sum, number) => sum + number, 0);
}
