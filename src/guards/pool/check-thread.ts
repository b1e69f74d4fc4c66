/** A thread of the guards' pool. It runs one check at a time. */
import { Piscina } from 'piscina';
import { buildDetectors } from './build-detectors.js';
import { createDetector } from './create-detector.js';
import type { CheckResult, DetectorSpecs, ThreadTask } from './protocol.js';
import { runCheck } from './run-check.js';

const specs = Piscina.workerData as DetectorSpecs;
const detectors = await buildDetectors(specs, createDetector);

export default function check({ progress, ...task }: ThreadTask): Promise<CheckResult> {
  return runCheck(task, detectors, (detector) => Atomics.store(progress, 0, detector));
}
