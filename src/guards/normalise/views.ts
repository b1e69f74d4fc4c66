import { decoders } from './encodings.js';
import { fromLeetspeak } from './leetspeak.js';
import type { MappedText } from './mapped-text.js';
import { plainText } from './plain.js';
import { joinSpelledOut } from './spelled-out.js';

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

/** The text as a reader sees it, first, and what a model may read between its lines. */
export function viewsOf(text: string, limits: ViewLimits = defaultViewLimits): View[] {
  const views: View[] = [{ name: 'plain', mapped: plainText(text) }];
  let chars = 0;
  const add = (name: string, mapped: MappedText): boolean => {
    if (views.length >= limits.maxViews || chars + mapped.text.length > limits.maxChars) return false;
    chars += mapped.text.length;
    views.push({ name, mapped });
    return true;
  };
  const plain = views[0]!.mapped;
  const leet = fromLeetspeak(plain);
  if (leet !== null) add('leetspeak', leet);
  const joined = joinSpelledOut(plain);
  if (joined !== null) add('spelled-out', joined);
  let layer = [{ name: '', mapped: plain }];
  for (let depth = 0; depth < limits.maxDepth && layer.length > 0; depth += 1) {
    const next: View[] = [];
    for (const { name, mapped } of layer) {
      for (const [encoding, decode] of Object.entries(decoders)) {
        if (name.endsWith('rot13') && encoding === 'rot13') continue; // back to where it came from
        for (const decoded of decode(mapped)) {
          const view = { name: name === '' ? encoding : `${name}>${encoding}`, mapped: decoded };
          if (add(view.name, decoded)) next.push(view);
        }
      }
    }
    layer = next;
  }
  return views;
}
