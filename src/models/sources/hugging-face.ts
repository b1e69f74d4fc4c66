import { z } from 'zod';
import { SluiceError } from '../../errors.js';
import { fetchSmall, send, withRetries } from '../http.js';
import { isSafeRelativePath } from '../reference.js';
import { isSplit, modelFiles, wholeName } from '../split.js';
import { fetchModelFiles, type RemoteFile } from './model-files.js';
import type { Fetched, SourceContext } from './source.js';

export interface HuggingFaceReference {
  repo: string;
  file: string | null;
  revision: string | null;
}

const maxListingBytes = 16 * 1024 * 1024;
const listingSchema = z.object({ siblings: z.array(z.object({ rfilename: z.string() })) });

/** Without a file named, the first of these a repository has: small at little loss, then less small. */
const preferredQuantisations = ['Q4_K_M', 'Q4_K_S', 'Q5_K_M', 'Q4_0', 'Q6_K', 'Q8_0', 'F16', 'BF16'];

/** A GGUF file of a repository that speaks Hugging Face's protocol. */
export async function fetchHuggingFace(
  reference: HuggingFaceReference,
  context: SourceContext,
): Promise<Fetched> {
  const revision = reference.revision ?? 'main';
  const remotePath = reference.file ?? (await chooseFile(reference.repo, revision, context));
  const found = await probeAll(reference.repo, revision, modelFiles(remotePath), context);
  const fetched = await fetchModelFiles(remotePath, found.files, context);
  return { ...fetched, upstream: found.commit ?? fetched.upstream };
}

/** All are asked for before the first is fetched: gigabytes are no way to learn that a part is missing. */
async function probeAll(
  repo: string,
  revision: string,
  paths: readonly string[],
  context: SourceContext,
): Promise<{ files: RemoteFile[]; commit: string | null }> {
  let commit: string | null = null;
  const files: RemoteFile[] = [];
  for (const path of paths) {
    const { sha256, bytes, ...said } = await probe(fileUrl(repo, commit ?? revision, path, context), context);
    commit ??= said.commit;
    // Pinned to the commit: a push in the middle of a download doesn't mix two states.
    const url = fileUrl(repo, commit ?? revision, path, context);
    files.push({ url, authorization: authorization(context), sha256, bytes });
  }
  return { files, commit };
}

async function chooseFile(repo: string, revision: string, context: SourceContext): Promise<string> {
  const url = new URL(
    `api/models/${repo}/revision/${encodeURIComponent(revision)}`,
    context.endpoints.huggingFace,
  );
  const body = await fetchSmall(
    { url, authorization: authorization(context) },
    maxListingBytes,
    context.http,
    context.signal,
  );
  const files = parseListing(body, repo).filter((name) => /\.gguf$/i.test(name) && isSafeRelativePath(name));
  const models = files.filter((name) => modelFiles(name)[0] === name && !/mmproj/i.test(name));
  const choice = chooseQuantisation(models);
  if (choice === null) throw new SluiceError('model_not_found', `${repo} has no GGUF file.`);
  context.reporter.notice(`${repo}: taking ${choice} (name another with hf:${repo}:FILE).`);
  return choice;
}

/** Of two of one quantisation the whole one goes before the split one. */
export function chooseQuantisation(files: string[]): string | null {
  const sorted = [...files].sort((a, b) => Number(isSplit(a)) - Number(isSplit(b)) || (a < b ? -1 : 1));
  for (const quantisation of preferredQuantisations) {
    const pattern = new RegExp(`(^|[^A-Z0-9])${quantisation}\\.gguf$`, 'i');
    const match = sorted.find((name) => pattern.test(wholeName(name)));
    if (match !== undefined) return match;
  }
  return sorted[0] ?? null;
}

function parseListing(body: Buffer, repo: string): string[] {
  try {
    return listingSchema.parse(JSON.parse(body.toString('utf8'))).siblings.map((file) => file.rfilename);
  } catch (cause) {
    throw new SluiceError('model_not_found', `The listing of ${repo} could not be read.`, { cause });
  }
}

/**
 * What the first answer says of a file: large ones are redirected to a store elsewhere, whose own headers name neither
 * the commit nor the checksum.
 */
async function probe(
  url: URL,
  context: SourceContext,
): Promise<Pick<RemoteFile, 'sha256' | 'bytes'> & { commit: string | null }> {
  return withRetries(context.http, context.signal, async () => {
    const { response, controller } = await send(
      { url, method: 'HEAD', authorization: authorization(context), follow: 'same-origin' },
      context.http,
      context.signal,
    );
    controller.abort();
    const etag = unquote(response.headers.get('x-linked-etag'));
    const size = response.headers.get('x-linked-size');
    return {
      commit: matching(response.headers.get('x-repo-commit'), /^[0-9a-f]{40}$/),
      sha256: matching(etag, /^[0-9a-f]{64}$/),
      bytes: matching(size, /^\d{1,15}$/) === null ? null : Number(size),
    };
  });
}

function fileUrl(repo: string, revision: string, path: string, context: SourceContext): URL {
  const encoded = path.split('/').map(encodeURIComponent).join('/');
  return new URL(`${repo}/resolve/${encodeURIComponent(revision)}/${encoded}`, context.endpoints.huggingFace);
}

function authorization(context: SourceContext): string | null {
  const token = context.endpoints.huggingFaceToken;
  return token === null ? null : `Bearer ${token}`;
}

function matching(value: string | null, pattern: RegExp): string | null {
  return value !== null && pattern.test(value) ? value : null;
}

function unquote(value: string | null): string | null {
  return value?.replace(/^"|"$/g, '') ?? null;
}
