import type { GuardUse } from '../../config/index.js';
import type { Detector } from '../detector.js';
import type { DetectorSpec, DetectorSpecs } from './protocol.js';

export interface BuiltDetector {
  use: GuardUse;
  detector: Detector;
}

/** A detector by its number. Rejects where it couldn't be built. */
export type BuiltDetectors = (number: number) => Promise<BuiltDetector>;

/** All before the first check, which would otherwise wait for their tables; one that can't be built fails its checks. */
export async function buildDetectors(
  specs: DetectorSpecs,
  build: (spec: DetectorSpec) => Promise<Detector>,
): Promise<BuiltDetectors> {
  const building = new Map<number, Promise<Detector>>();
  for (const [number, spec] of specs) building.set(number, build(spec));
  await Promise.allSettled(building.values());
  return async (number) => ({ use: specs.get(number)!.use, detector: await building.get(number)! });
}
