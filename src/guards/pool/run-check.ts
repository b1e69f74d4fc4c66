import { wholeUpTo } from '../clusters.js';
import { resolveOverlaps } from '../detect/overlaps.js';
import { piiPriority } from '../detect/pii/priority.js';
import type { DetectorFinding } from '../detector.js';
import { hitOf } from '../hit.js';
import { type GuardText, type Hit, isLookedAt } from '../types.js';
import type { BuiltDetector, BuiltDetectors } from './build-detectors.js';
import type { CheckResult, CheckTask } from './protocol.js';

/**
 * One guard after the other; of input, until one blocks. What has been answered is looked at by all: what comes before a block
 * may have been sent. Rejects with what a guard throws.
 */
export async function runCheck(
  task: CheckTask,
  detectors: BuiltDetectors,
  onBegin: (detector: number) => void,
): Promise<CheckResult> {
  const progresses = task.texts.map((text, index) => new TextProgress(text, index));
  const milliseconds: CheckResult['milliseconds'] = [];
  for (const number of task.detectors) {
    onBegin(number);
    const built = await detectors(number);
    const startedAt = performance.now();
    const looked = progresses.filter(({ source }) => isLookedAt(source, built.use, task.context.stage));
    if (looked.length === 0) continue;
    const found = await built.detector.find(
      looked.map(({ source }) => source),
      task.context,
    );
    let isBlocked = false;
    for (const [index, progress] of looked.entries())
      isBlocked = progress.add(found[index]!, built, task) || isBlocked;
    milliseconds.push({ detector: number, value: performance.now() - startedAt });
    if (isBlocked && task.context.stage === 'input') break;
  }
  return {
    hits: progresses.flatMap(({ hits }) => hits),
    decidedTo: progresses.map((progress) =>
      task.isFinal ? progress.source.text.length : progress.decidedTo(),
    ),
    milliseconds,
  };
}

/** What has been found in one text. */
class TextProgress {
  readonly source: GuardText;
  readonly hits: Hit[] = [];
  /** Before their overlaps were resolved: more text may change who wins. */
  readonly #spans: DetectorFinding[] = [];
  readonly #index: number;
  #openFrom: number;

  constructor(source: GuardText, index: number) {
    this.source = source;
    this.#index = index;
    this.#openFrom = source.text.length;
  }

  /** Whether something of it blocks. */
  add(
    found: DetectorFinding[],
    { use, detector: { open } }: BuiltDetector,
    { context, isFinal }: CheckTask,
  ): boolean {
    const { text } = this.source;
    const kept = open ? resolveOverlaps(found, piiPriority) : found;
    const hits = kept.map((each) => hitOf(each, this.#index, use));
    this.hits.push(...hits);
    if (open && !isFinal) {
      this.#spans.push(...found);
      this.#openFrom = Math.min(this.#openFrom, open.from(text, context));
      for (const { start, end } of found)
        if (end + open.lookAhead > text.length) this.#openFrom = Math.min(this.#openFrom, start);
    }
    return hits.some(({ mode }) => mode === 'block');
  }

  /** No findings that overlap are cut in two, and no character. */
  decidedTo(): number {
    const { text } = this.source;
    const to = wholeUpTo(this.#openFrom, this.#spans);
    const isHalf = to > 0 && to < text.length && (text.charCodeAt(to - 1) & 0xfc00) === 0xd800;
    return isHalf ? to - 1 : to;
  }
}
