import { join } from 'node:path';
import { download } from '../download.js';
import { splitCredentials } from '../http.js';
import { modelStem } from '../reference.js';
import type { Fetched, SourceContext } from './source.js';

/** A file at an https: address. */
export async function fetchUrl(reference: { url: URL }, context: SourceContext): Promise<Fetched> {
  const { url, authorization } = splitCredentials(reference.url);
  const file = `${modelStem(url.pathname)}.gguf`;
  const { etag, ...result } = await download(
    {
      url,
      authorization,
      target: join(context.directory, file),
      maxBytes: context.maxBytes,
      ...context.expected,
    },
    { ...context, onProgress: (done, total) => context.reporter.progress(file, done, total) },
  );
  return { file, ...result, upstream: etag };
}
