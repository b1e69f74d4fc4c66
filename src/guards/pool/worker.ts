/** A worker of the guards' pools. It runs one check at a time. */
import { Piscina } from 'piscina';
import type { Detector } from '../detector.js';
import { createDetector } from './create-detector.js';
import type { CheckResult, CheckTask, DetectorSpec } from './protocol.js';
import { runCheck } from './run-check.js';

const specs = Piscina.workerData as ReadonlyMap<number, DetectorSpec>;

/** All before the first check, which would otherwise wait for their tables; one that can't be built fails its checks. */
const building = new Map<number, Promise<Detector>>();
for (const [number, spec] of specs) building.set(number, createDetector(spec));
await Promise.allSettled(building.values());

export default function check(task: CheckTask): Promise<CheckResult> {
  return runCheck(task, async (number) => {
    return { use: specs.get(number)!.use, detector: await building.get(number)! };
  });
}
