import { type LlamaServerSettings, llamaServerAxes, llamaServerDefaults } from './llama-server.js';

/**
 * Best settings by coordinate descent: one axis after another, keeping what `measure` scores higher by at least
 * `minGain`, which must be above the noise. Runs 1 + Σ (values − 1) measurements, 10 with today's axes.
 */
export async function sweepSettings(
  measure: (settings: LlamaServerSettings) => Promise<number>,
  minGain: number,
): Promise<LlamaServerSettings> {
  let best = llamaServerDefaults;
  let bestScore = await measure(best);
  for (const [axis, values] of Object.entries(llamaServerAxes)) {
    for (const value of values.slice(1)) {
      const candidate = { ...best, [axis]: value } as LlamaServerSettings;
      const score = await measure(candidate);
      if (score > bestScore * (1 + minGain)) [best, bestScore] = [candidate, score];
    }
  }
  return best;
}
