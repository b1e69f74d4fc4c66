import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { guardSchema } from '../../src/config/guard-schema.js';
import { injectionProbeDetector, probedModel } from '../../src/guards/builtin/injection-probe.js';
import { CERTAIN_BY_WORDS } from '../../src/guards/detect/injection/certain.js';
import { judgeInjection } from '../../src/guards/detect/injection/classifier.js';
import { resolveModel } from '../../src/models/index.js';
import { projectRoot } from '../../src/support/root.js';
import { countHits, type PromptScores } from './score-prompts.js';
import type { Share } from './share.js';
import type { Item } from './split.js';

export interface TextSet {
  attacks: readonly Item[];
  benign: readonly Item[];
}

/** Of the guard `injection_probe`, and of the profile `thorough`, where `injection` may block beside it. */
export interface ProbeScores {
  alone: PromptScores;
  thorough: PromptScores;
}

export type ScoreProbe = (set: TextSet) => Promise<ProbeScores>;

/** Whether a text is an attack, by the guard `injection_probe` in this thread. Loads the model whose states it reads. */
export async function openProbe(): Promise<(text: string) => Promise<boolean>> {
  const { path } = await resolveModel(probedModel());
  const { profiles } = guardSchema.parse({ profiles: { probe: { input: [{ guard: 'injection_probe' }] } } });
  const detector = await injectionProbeDetector(profiles.probe!.input[0]!, { path, backend: 'cpu' });
  const context = { requestId: 'bench', tenant: 'bench', stage: 'input' } as const;
  return async (text) => {
    const [findings] = await detector.find([{ text, origin: 'user' }], context);
    return findings!.length > 0;
  };
}

export async function openProbeScorer(): Promise<ScoreProbe> {
  const isAttack = await openProbe();
  return async (set) => {
    const byProbe = new Set<Item>();
    for (const item of [...set.attacks, ...set.benign]) if (await isAttack(item.text)) byProbe.add(item);
    const score = (isHit: (item: Item) => boolean): PromptScores => ({
      attacks: countHits(set.attacks, isHit),
      benign: countHits(set.benign, isHit),
    });
    return {
      alone: score((item) => byProbe.has(item)),
      thorough: score((item) => byProbe.has(item) || judgeInjection(item.text).score >= CERTAIN_BY_WORDS),
    };
  };
}

const leftOut = z.object({
  sources: z.record(
    z.string(),
    z.object({ attacks: z.int(), found: z.int(), harmless: z.int(), mistaken: z.int() }),
  ),
  /** By share of harmless texts taken for attacks: from which probability on, and the share of attacks found. */
  curve: z.array(z.object({ falsePositives: z.number(), threshold: z.number(), found: z.number() })),
});

export interface ProbeLeftOut {
  bySource: { source: string; attacks: Share; benign: Share }[];
  curve: z.output<typeof leftOut>['curve'];
}

/** What training has found on the sources that it left out, each once: written by `npm run train:guards -- injection-probe`. */
export function probeLeftOut(): ProbeLeftOut {
  const file = join(projectRoot(), 'bench', 'guards', 'probe-left-out.json');
  const { sources, curve } = leftOut.parse(JSON.parse(readFileSync(file, 'utf8')));
  const bySource = Object.entries(sources).map(([source, { attacks, found, harmless, mistaken }]) => ({
    source,
    attacks: { hits: found, total: attacks },
    benign: { hits: mistaken, total: harmless },
  }));
  return { bySource, curve };
}
