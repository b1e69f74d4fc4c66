/** A worker of the guards' pools. It runs one check at a time. */
import { Piscina } from 'piscina';
import type { Detector } from '../detector.js';
import { createDetector } from './create-detector.js';
import type { CheckResult, CheckTask, DetectorSpec } from './protocol.js';
import { runCheck } from './run-check.js';

const specs = Piscina.workerData as readonly DetectorSpec[];
const built = new Map<number, Promise<Detector>>();

export default function check(task: CheckTask): Promise<CheckResult> {
  return runCheck(task, async (detector) => {
    const spec = specs[detector]!;
    const building = built.get(detector) ?? createDetector(spec);
    built.set(detector, building);
    return { use: spec.use, detector: await building };
  });
}
