import { decodeBase64, decodeBinary, decodeEscapes, decodeHex, decodeRot13 } from './encodings.js';
import { joinHalves } from './halves.js';
import { fromLeetspeak } from './leetspeak.js';
import type { MappedText } from './mapped-text.js';
import { decodeUrl } from './percent.js';
import { joinPieces } from './pieces.js';
import { plainText } from './plain.js';
import { reverseLines, reverseWords } from './reversed.js';
import { joinSpelledOut } from './spelled-out.js';
import { type Survey, survey } from './survey.js';

/** One way to read a text. `name`: 'plain', 'leetspeak', 'spelled-out', 'base64', 'base64>rot13', … */
export interface View {
  name: string;
  mapped: MappedText;
}

export interface ViewLimits {
  maxDepth: number; // of encodings within encodings
  maxViews: number;
  maxChars: number; // UTF-16 units of all decoded views together
}

export const defaultViewLimits: ViewLimits = { maxDepth: 3, maxViews: 32, maxChars: 131_072 };

/** A way to write a text that can be undone. What `mayHold` refuses isn't searched. */
interface Writing {
  name: string;
  mayHold(seen: Survey): boolean;
  read(source: MappedText): MappedText | readonly MappedText[] | null;
}

const disguises: readonly Writing[] = [
  { name: 'leetspeak', mayHold: ({ standIns }) => standIns >= 2, read: fromLeetspeak },
  {
    name: 'spelled-out',
    mayHold: ({ loneCharacters, longestLone, longestCut }) =>
      loneCharacters >= 4 && (longestLone >= 4 || longestCut >= 5),
    read: joinSpelledOut,
  },
  { name: 'pieces', mayHold: ({ quotes }) => quotes >= 4, read: joinPieces },
  { name: 'halves', mayHold: ({ halves }) => halves >= 3, read: joinHalves },
  { name: 'reversed', mayHold: ({ reversedWords }) => reversedWords >= 2, read: reverseLines },
  { name: 'reversed words', mayHold: ({ reversedWords }) => reversedWords >= 2, read: reverseWords },
];
const encodings: readonly Writing[] = [
  { name: 'base64', mayHold: ({ longestCodeRun }) => longestCodeRun >= 12, read: decodeBase64 },
  { name: 'hex', mayHold: ({ digits }) => digits >= 8, read: decodeHex },
  { name: 'hex', mayHold: ({ backslashes }) => backslashes >= 4, read: decodeEscapes },
  { name: 'hex', mayHold: ({ digits }) => digits >= 64, read: decodeBinary },
  { name: 'url', mayHold: ({ percents }) => percents >= 2, read: decodeUrl },
  { name: 'rot13', mayHold: ({ rot13Words }) => rot13Words >= 2, read: decodeRot13 },
];

/** The text as a reader sees it, first, and what a model may read between its lines. */
export function viewsOf(text: string, limits: ViewLimits = defaultViewLimits): View[] {
  const plain = { name: 'plain', mapped: plainText(text) };
  const views: View[] = [plain];
  let chars = 0;
  const readAs = (writings: readonly Writing[], { name, mapped }: View, seen: Survey): View[] => {
    const added: View[] = [];
    for (const writing of writings) {
      if (!writing.mayHold(seen) || (name.endsWith('rot13') && writing.name === 'rot13')) continue; // back to where it came from
      const read = writing.read(mapped) ?? [];
      for (const reading of Array.isArray(read) ? read : [read]) {
        if (views.length >= limits.maxViews || chars + reading.text.length > limits.maxChars) continue;
        chars += reading.text.length;
        const view = { name: name === 'plain' ? writing.name : `${name}>${writing.name}`, mapped: reading };
        views.push(view);
        added.push(view);
      }
    }
    return added;
  };
  const seen = survey(plain.mapped.text);
  readAs(disguises, plain, seen);
  let layer = readAs(encodings, plain, seen);
  for (let depth = 1; depth < limits.maxDepth && layer.length > 0; depth += 1)
    layer = layer.flatMap((view) => readAs(encodings, view, survey(view.mapped.text)));
  return views;
}
