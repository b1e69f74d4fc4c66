import type { GuardUse } from '../../config/index.js';
import { canaryDetector } from '../builtin/canary.js';
import { confidenceDetector } from '../builtin/confidence.js';
import { formatDetector } from '../builtin/format.js';
import { groundingDetector } from '../builtin/grounding.js';
import { injectionDetector } from '../builtin/injection.js';
import { injectionProbeDetector } from '../builtin/injection-probe.js';
import { keywordDetector } from '../builtin/keywords.js';
import { moderationDetector } from '../builtin/moderation.js';
import { patternRecogniser } from '../builtin/patterns.js';
import { piiDetector, secretDetector } from '../builtin/personal-data.js';
import { topicsDetector } from '../builtin/topics.js';
import { type Detector, recogniserDetector } from '../detector.js';
import type { DetectorSpec } from './protocol.js';

/** Loaded when first needed: some bring tables. */
const builtIn: Readonly<Record<string, (use: GuardUse, spec: DetectorSpec) => Detector | Promise<Detector>>> =
  {
    canary: canaryDetector,
    pii: piiDetector,
    secrets: secretDetector,
    confidence: confidenceDetector,
    format: formatDetector,
    grounding: groundingDetector,
    injection: injectionDetector,
    injection_probe: (use, { stateModel = null }) => injectionProbeDetector(use, stateModel),
    moderation: moderationDetector,
    topics: topicsDetector,
    keywords: keywordDetector,
    patterns: (use) => recogniserDetector(patternRecogniser(use.options), use),
  };

/** Rejects where the guard's options are wrong. */
export async function createDetector(spec: DetectorSpec): Promise<Detector> {
  const { use } = spec;
  const create = builtIn[use.guard];
  if (!create) throw new Error(`no detector for the guard ${use.guard}`);
  return await create(use, spec);
}
