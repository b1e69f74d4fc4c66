import type { Detector } from '../../src/guards/detector.js';
import { createDetector } from '../../src/guards/pool/create-detector.js';

/** A guard that is built in, by itself and in this thread. */
export function openGuard(guard: string, options: Record<string, unknown> = {}): Promise<Detector> {
  return createDetector({
    use: { guard, mode: 'block', modes: {}, onFailure: 'block', holdsSentences: false, options },
  });
}

export async function findIn(detector: Detector, text: string): Promise<void> {
  await detector.find([{ text, origin: 'user' }], { requestId: 'bench', tenant: 'bench', stage: 'input' });
}
