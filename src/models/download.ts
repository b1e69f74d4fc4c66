import { dirname } from 'node:path';
import { SluiceError } from '../errors.js';
import { ensureSpace, type FreeBytes, formatBytes } from './disk.js';
import { describeUrl, type HttpResponse, type HttpSettings, readBody, send, withRetries } from './http.js';
import { PartialFile, type Validator } from './partial-file.js';

export interface DownloadRequest {
  url: URL;
  authorization: string | null;
  /** The file to make; its directory exists. */
  target: string;
  sha256: string | null;
  bytes: number | null;
  maxBytes: number;
}

export interface DownloadTools {
  http: HttpSettings;
  freeBytes: FreeBytes;
  signal: AbortSignal;
  /** Called with the bytes at hand, and those of the whole where known. */
  onProgress: (doneBytes: number, totalBytes: number | null) => void;
}

export interface Downloaded {
  sha256: string;
  bytes: number;
  etag: string | null;
}

/**
 * Fetches a URL into `target`, continuing what an earlier attempt or process left. The target appears only whole and,
 * where a checksum is known, verified. A broken connection is retried from where it broke.
 */
export async function download(request: DownloadRequest, tools: DownloadTools): Promise<Downloaded> {
  const file = await PartialFile.open(request.target);
  try {
    const resumed = file.length > 0;
    try {
      return await fetchAndCommit(file, request, tools);
    } catch (error) {
      const stale = resumed && error instanceof SluiceError && error.code === 'model_checksum_mismatch';
      if (!stale) throw error;
      return await fetchAndCommit(file, request, tools); // from the start: the old bytes may have been the damaged ones
    }
  } finally {
    await file.close();
  }
}

async function fetchAndCommit(
  file: PartialFile,
  request: DownloadRequest,
  tools: DownloadTools,
): Promise<Downloaded> {
  await withRetries(tools.http, tools.signal, (progressed) => transfer(file, request, tools, progressed));
  const etag = file.validator?.etag ?? null;
  const expectedBytes = request.bytes ?? file.validator?.bytes ?? null;
  return { ...(await file.commit({ sha256: request.sha256, bytes: expectedBytes })), etag };
}

/** One connection: from the partial file's end to the end of the body, or to a fault. */
async function transfer(
  file: PartialFile,
  request: DownloadRequest,
  tools: DownloadTools,
  progressed: () => void,
): Promise<void> {
  if (!canContinue(file, request)) await file.restart(null);
  if (isComplete(file)) return;
  const reply = await send(
    { url: request.url, authorization: request.authorization, headers: rangeHeaders(file) },
    tools.http,
    tools.signal,
  );
  try {
    await adopt(file, request, reply.response);
    const remainingBytes = (file.validator?.bytes ?? request.bytes ?? file.length) - file.length;
    await ensureSpace(dirname(request.target), remainingBytes, tools.freeBytes);
    await appendBody(file, request, reply, tools, progressed);
  } finally {
    reply.controller.abort();
  }
}

async function appendBody(
  file: PartialFile,
  request: DownloadRequest,
  reply: HttpResponse,
  tools: DownloadTools,
  progressed: () => void,
): Promise<void> {
  const total = file.validator?.bytes ?? request.bytes;
  const limit = Math.min(request.maxBytes, total ?? Number.POSITIVE_INFINITY);
  for await (const chunk of readBody(reply, request.url, tools.http)) {
    if (file.length + chunk.length > limit) throw tooLarge(request, limit);
    await file.append(chunk);
    progressed();
    tools.onProgress(file.length, total);
  }
  if (total !== null && file.length < total) {
    throw new SluiceError(
      'model_download_failed',
      `${describeUrl(request.url)} ended after ${file.length} of ${total} bytes.`,
    );
  }
}

/** Bytes of another URL, or that nothing can tell from those of a newer file, are not continued. */
function canContinue(file: PartialFile, request: DownloadRequest): boolean {
  if (file.validator?.url !== describeUrl(request.url)) return false;
  return file.validator.etag !== null || request.sha256 !== null;
}

function isComplete(file: PartialFile): boolean {
  return file.length > 0 && file.length === file.validator?.bytes;
}

function rangeHeaders(file: PartialFile): Record<string, string> {
  if (file.length === 0) return {};
  const etag = file.validator?.etag;
  return { range: `bytes=${file.length}-`, ...(etag ? { 'if-range': etag } : {}) };
}

/** Reads off the response which bytes follow, and empties the file where they aren't its continuation. */
async function adopt(file: PartialFile, request: DownloadRequest, response: Response): Promise<void> {
  const range = contentRange(response);
  const continues =
    response.status === 206 &&
    range?.first === file.length &&
    sameFile(file.validator, response, range.total);
  if (continues) return;
  if (response.status !== 200) {
    await file.restart(null);
    throw new SluiceError(
      'model_download_failed',
      `${describeUrl(request.url)} answered with a range that was not asked for.`,
    );
  }
  const bytes = contentLength(response);
  if (bytes !== null && bytes > request.maxBytes) throw tooLarge(request, request.maxBytes);
  await file.restart({ url: describeUrl(request.url), etag: strongEtag(response), bytes });
}

function sameFile(validator: Validator | null, response: Response, totalBytes: number | null): boolean {
  if (validator === null || validator.etag !== strongEtag(response)) return false;
  return validator.bytes === null || totalBytes === null || validator.bytes === totalBytes;
}

function strongEtag(response: Response): string | null {
  const etag = response.headers.get('etag');
  return etag === null || etag.startsWith('W/') ? null : etag;
}

function contentLength(response: Response): number | null {
  const value = response.headers.get('content-length');
  return value !== null && /^\d{1,15}$/.test(value) ? Number(value) : null;
}

function contentRange(response: Response): { first: number; total: number | null } | null {
  const match = /^bytes (\d{1,15})-\d{1,15}\/(\d{1,15}|\*)$/.exec(
    response.headers.get('content-range') ?? '',
  );
  if (match === null) return null;
  return { first: Number(match[1]), total: match[2] === '*' ? null : Number(match[2]) };
}

function tooLarge(request: DownloadRequest, limitBytes: number): SluiceError {
  return new SluiceError(
    'model_checksum_mismatch',
    `${describeUrl(request.url)} is larger than ${formatBytes(limitBytes)}.`,
  );
}
