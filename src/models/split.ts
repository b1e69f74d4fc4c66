import { statSync } from 'node:fs';

/** Names of the files that llama.cpp's gguf-split makes of one model: `NAME-00001-of-00003.gguf`. */
const pattern = /^(?<stem>.*)-(?<part>\d{5})-of-(?<parts>\d{5})\.gguf$/s;
const maxParts = 1024; // of the largest models published: fewer than 200

/** The files of the model that a path is of, in order: itself, or all parts of a split one, in the same directory. */
export function modelFiles(path: string): [string, ...string[]] {
  const split = parse(path);
  if (split === null) return [path];
  const { stem, parts } = split;
  return [partName(stem, 1, parts), ...numbers(2, parts).map((part) => partName(stem, part, parts))];
}

/** The path of a model without the number of a part, as if it were one file. */
export function wholeName(path: string): string {
  const split = parse(path);
  return split === null ? path : `${split.stem}.gguf`;
}

export function isSplit(path: string): boolean {
  return parse(path) !== null;
}

function parse(path: string): { stem: string; parts: number } | null {
  const groups = pattern.exec(path)?.groups;
  if (groups === undefined) return null;
  const [part, parts] = [Number(groups.part), Number(groups.parts)];
  if (part < 1 || part > parts || parts < 2 || parts > maxParts) return null;
  return { stem: groups.stem!, parts };
}

function partName(stem: string, part: number, parts: number): string {
  return `${stem}-${digits(part)}-of-${digits(parts)}.gguf`;
}

function digits(number: number): string {
  return String(number).padStart(5, '0');
}

function numbers(first: number, last: number): number[] {
  return Array.from({ length: last - first + 1 }, (_, index) => first + index);
}

/** Of all its files. Those that aren't there count for nothing: the addon says what is wrong with a path. */
export function modelBytes(path: string): number {
  return modelFiles(path).reduce(
    (sum, file) => sum + (statSync(file, { throwIfNoEntry: false })?.size ?? 0),
    0,
  );
}
