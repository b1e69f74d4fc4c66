import { applyEdits, type Edit, editsOf, type Hide, spanBefore } from './edits.js';
import type { Inspector } from './inspector.js';
import type { ProfileGuard } from './profile.js';
import { type CostClass, costClasses, type GuardContext, type GuardText, type Hit } from './types.js';

export interface Inspection {
  hits: Hit[];
  /** By text. */
  edits: Edit[][];
  /** The first that blocks; null: none. */
  block: Hit | null;
}

/**
 * Whole texts through all guards, the cheap first. Later guards see what earlier ones have left of a text, so that nothing
 * hidden from the model is shown to a webhook. All spans are of the texts as they came.
 */
export async function inspect(
  inspector: Inspector,
  guards: readonly ProfileGuard[],
  texts: readonly GuardText[],
  context: GuardContext,
  hide: Hide,
): Promise<Inspection> {
  const hits: Hit[] = [];
  let edits: Edit[][] = texts.map(() => []);
  for (const cost of costClasses) {
    const group = guards.filter(({ kind }) => kind.cost === cost);
    if (group.length === 0) continue;
    const left = texts.map(({ text, origin }, index) => ({ text: applyEdits(text, edits[index]!), origin }));
    for (const hit of await checkGroup(inspector, cost, group, left, context))
      hits.push({ ...hit, ...spanBefore(edits[hit.text]!, hit) });
    const block = hits.find(({ mode }) => mode === 'block');
    if (block) return { hits, edits, block };
    const hitsOf = byText(hits, texts.length);
    edits = texts.map(({ text }, index) => editsOf(text, hitsOf[index]!, hide));
  }
  return { hits, edits, block: null };
}

function byText(hits: readonly Hit[], texts: number): Hit[][] {
  const grouped: Hit[][] = Array.from({ length: texts }, () => []);
  for (const hit of hits) grouped[hit.text]!.push(hit);
  return grouped;
}

async function checkGroup(
  inspector: Inspector,
  cost: CostClass,
  guards: readonly ProfileGuard[],
  texts: readonly GuardText[],
  context: GuardContext,
): Promise<Hit[]> {
  if (cost === 'inline') return inspector.inline(guards, texts);
  if (cost === 'scan') return (await inspector.scan(guards, texts, context, true)).hits;
  const results = await Promise.all(guards.map((guard) => inspector.custom(guard, texts, context)));
  return results.flatMap(({ hits }) => hits);
}
