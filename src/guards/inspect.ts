import { applyEdits, type Edit, editsOf, type Hide, spanBefore } from './edits.js';
import type { Inspector } from './inspector.js';
import type { ProfileGuard } from './profile.js';
import { slowOptions } from './slow-options.js';
import {
  type Ask,
  type CostClass,
  costClasses,
  type GuardContext,
  type GuardText,
  type Hit,
} from './types.js';

export interface InspectionJob {
  inspector: Inspector;
  guards: readonly ProfileGuard[];
  texts: readonly GuardText[];
  context: GuardContext;
  hide: Hide;
  ask: Ask;
}

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
export async function inspect(job: InspectionJob): Promise<Inspection> {
  const { guards, texts, hide } = job;
  const hits: Hit[] = [];
  let edits: Edit[][] = texts.map(() => []);
  for (const cost of costClasses) {
    const group = guards.filter((guard) => guard.kind.cost === cost && isNeeded(guard, hits));
    if (group.length === 0) continue;
    const left = texts.map(({ text, origin }, index) => ({ text: applyEdits(text, edits[index]!), origin }));
    for (const hit of await checkGroup(job, cost, group, left))
      hits.push({ ...hit, ...spanBefore(edits[hit.text]!, hit) });
    const block = hits.find(({ mode }) => mode === 'block');
    if (block) return { hits, edits, block };
    const hitsOf = byText(hits, texts.length);
    edits = texts.map(({ text }, index) => editsOf(text, hitsOf[index]!, hide));
  }
  return { hits, edits, block: null };
}

export function byText(hits: readonly Hit[], texts: number): Hit[][] {
  const grouped: Hit[][] = Array.from({ length: texts }, () => []);
  for (const hit of hits) grouped[hit.text]!.push(hit);
  return grouped;
}

/** A guard that takes long may be for those texts only that another couldn't decide on. */
function isNeeded({ kind, use }: ProfileGuard, hits: readonly Hit[]): boolean {
  const options = slowOptions[kind.cost]?.schema.parse(use.options);
  return options?.when !== 'unsure' || hits.some(({ mode }) => mode === 'unsure');
}

async function checkGroup(
  { inspector, ask, context }: InspectionJob,
  cost: CostClass,
  guards: readonly ProfileGuard[],
  texts: readonly GuardText[],
): Promise<Hit[]> {
  if (cost === 'inline') return inspector.inline(guards, texts);
  if (cost === 'scan') return (await inspector.scan(guards, texts, context, true)).hits;
  const hits = await Promise.all(guards.map((guard) => inspector.alone(guard, texts, context, ask)));
  return hits.flat();
}
