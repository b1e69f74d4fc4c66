import { z } from 'zod';
import { SluiceError } from '../../errors.js';
import { fetchSmall, splitCredentials } from '../http.js';
import { isLoopback } from '../reference.js';
import type { SourceContext } from './source.js';

const mediaType = 'application/vnd.pypi.simple.v1+json';
const maxIndexBytes = 16 * 1024 * 1024;

/** PEP 691, as far as it is needed here. */
const projectSchema = z.object({
  files: z.array(
    z.object({
      filename: z.string(),
      url: z.string(),
      hashes: z.record(z.string(), z.string()),
      size: z.int().nonnegative().optional(),
      yanked: z.union([z.boolean(), z.string()]).optional(),
    }),
  ),
});
type IndexFile = z.infer<typeof projectSchema>['files'][number];

export interface WheelFile {
  filename: string;
  version: string;
  yanked: boolean;
  url: URL;
  /** Sent to the index's own origin only. */
  authorization: string | null;
  sha256: string;
  bytes: number | null;
}

/** The wheel of that version, or of the newest one, that fits every machine. `name` is normalised (PEP 503). */
export async function findWheel(
  name: string,
  version: string | null,
  context: SourceContext,
): Promise<WheelFile> {
  const { url: index, authorization } = splitCredentials(context.endpoints.pypiIndex);
  const project = new URL(`${name}/`, index);
  const body = await fetchSmall(
    { url: project, authorization, headers: { accept: mediaType } },
    maxIndexBytes,
    context.http,
    context.signal,
  );
  const wheels = parseProject(body, name).flatMap((file) => asWheel(file, project, authorization));
  const choice = chooseWheel(wheels, version);
  if (choice === null) {
    throw new SluiceError(
      'model_not_found',
      `The package index has no wheel of ${name}${version === null ? '' : ` ${version}`}.`,
    );
  }
  return choice;
}

function parseProject(body: Buffer, name: string): IndexFile[] {
  try {
    return projectSchema.parse(JSON.parse(body.toString('utf8'))).files;
  } catch (cause) {
    const message = `The package index's answer for ${name} is not simple-index JSON (PEP 691). Set SLUICE_PYPI_INDEX to one that speaks it.`;
    throw new SluiceError('model_not_found', message, { cause });
  }
}

function asWheel(file: IndexFile, project: URL, authorization: string | null): WheelFile[] {
  // PEP 427: name-version[-build]-python-abi-platform.whl
  const match = /^[\w.]+-([\w.!+]+)(?:-\d\w*)?-py\d[\w.]*-none-any\.whl$/.exec(file.filename);
  const sha256 = file.hashes.sha256;
  const yanked = file.yanked !== undefined && file.yanked !== false;
  if (match?.[1] === undefined || sha256 === undefined || !/^[0-9a-f]{64}$/.test(sha256)) return [];
  if (!URL.canParse(file.url, project.href)) return [];
  const url = new URL(file.url, project);
  const trusted = url.protocol === 'https:' || url.origin === project.origin || isLoopback(url);
  if (!trusted) return [];
  return [
    {
      filename: file.filename,
      version: match[1],
      yanked,
      url,
      authorization: url.origin === project.origin ? authorization : null,
      sha256,
      bytes: file.size ?? null,
    },
  ];
}

/** A withdrawn ("yanked") wheel is taken only if its very version is asked for (PEP 592). */
export function chooseWheel<T extends { version: string; yanked: boolean }>(
  wheels: T[],
  version: string | null,
): T | null {
  if (version !== null) return wheels.find((wheel) => wheel.version === version) ?? null;
  const offered = wheels.filter((wheel) => !wheel.yanked);
  const releases = offered.filter((wheel) => /^[\d.]+$/.test(wheel.version));
  const candidates = releases.length > 0 ? releases : offered;
  return [...candidates].sort((a, b) => compareVersions(b.version, a.version))[0] ?? null;
}

/** Number by number; what follows the release numbers (PEP 440's suffixes) is compared as text. */
function compareVersions(a: string, b: string): number {
  return a.localeCompare(b, 'en', { numeric: true });
}
