import { splitCredentials } from '../http.js';
import { modelFiles } from '../split.js';
import { fetchModelFiles } from './model-files.js';
import type { Fetched, SourceContext } from './source.js';

/** A file at an https: address; where it is a part of a split model, the other parts are beside it. */
export async function fetchUrl(reference: { url: URL }, context: SourceContext): Promise<Fetched> {
  const { url, authorization } = splitCredentials(reference.url);
  const remotes = modelFiles(url.pathname).map((pathname) => {
    const part = new URL(url);
    part.pathname = pathname;
    return { url: part, authorization, sha256: null, bytes: null };
  });
  return fetchModelFiles(url.pathname, remotes, context);
}
