import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { projectRoot } from '../../../src/support/root.js';
import { type Random, randomInteger } from '../../workload/random.js';
import { pick } from '../seeds.js';

export interface Piece {
  text: string;
  source: string; // name of the package
  kind: 'prose' | 'code';
}

interface LockedPackage {
  license?: string;
  optional?: boolean;
}

const licences = new Set([
  'MIT',
  'ISC',
  'Apache-2.0',
  'BSD-2-Clause',
  'BSD-3-Clause',
  'BlueOak-1.0.0',
  '0BSD',
  'CC0-1.0',
]);
const ABOUT_PROMPTS = /(?:^|[/@-])(?:node-llama-cpp|langchain|openai|anthropic)/; // may quote prompts
const MAX_FILE = 60_000; // characters
const PIECES = { prose: 30, code: 8 }; // of one package, at most
const SHORT = { min: 40, max: 400 };
const LONG = { min: 300, max: 3_500 };

/**
 * Pieces of what the locked packages bring along: text as people write it, of any length, that attacks nobody. It is read where npm put it
 * and not copied here; equal lock files give equal pieces.
 */
export function packagePieces(random: Random): Piece[] {
  const root = projectRoot();
  const lock = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')) as {
    packages: Record<string, LockedPackage>;
  };
  return Object.entries(lock.packages).flatMap(([path, { license, optional }]) => {
    if (path === '' || optional || !licences.has(license ?? '') || ABOUT_PROMPTS.test(path)) return [];
    const source = path.replace(/^node_modules\//, '');
    const files = namesIn(join(root, path));
    const of = (kind: Piece['kind'], pattern: RegExp) =>
      files
        .filter((name) => pattern.test(name))
        .slice(0, kind === 'prose' ? 2 : 6)
        .flatMap((name) => cut(readFileSync(join(root, path, name), 'utf8').slice(0, MAX_FILE), random))
        .slice(0, PIECES[kind])
        .map((text) => ({ text, source, kind }));
    return [
      ...of('prose', /^(?:readme|changelog|history|contributing)\.md$/i),
      ...of('code', /\.(?:[cm]?js|d\.[cm]?ts)$/),
    ];
  });
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder, { withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map(({ name }) => name)
      .sort();
  } catch {
    return [];
  }
}

/** Paragraphs that follow each other, some single, some many. */
function cut(text: string, random: Random): string[] {
  const paragraphs = text.split(/\n\s*\n/).filter((paragraph) => paragraph.trim().length >= SHORT.min);
  const pieces: string[] = [];
  for (let at = 0; at < paragraphs.length; ) {
    const { min, max } = pick([SHORT, SHORT, LONG], random);
    const wanted = randomInteger(random, min, max);
    let piece = '';
    while (at < paragraphs.length && piece.length < wanted) {
      piece += `${piece === '' ? '' : '\n\n'}${paragraphs[at]!.slice(0, LONG.max)}`;
      at += 1;
    }
    pieces.push(piece.slice(0, LONG.max));
    at += randomInteger(random, 0, 2);
  }
  return pieces;
}
