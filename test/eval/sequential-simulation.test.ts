import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DriftDetector } from '../../src/eval/live/drift.js';
import { DriftMonitor } from '../../src/eval/live/drift-monitor.js';
import { Experiment } from '../../src/eval/live/experiment.js';
import { ConfidenceSequence } from '../../src/eval/statistics/confidence-sequence.js';
import { deriveSeed, type Random, seededRandom } from '../../src/support/random.js';

/** Sequential tests that are looked at after every observation, on streams whose truth is known. SLUICE_LONG=1: ten times as many. */

const RUNS = process.env.SLUICE_LONG === '1' ? 3_000 : 300;
const ALPHA = 0.05;

function share(seed: number, happens: (random: Random) => boolean): number {
  let count = 0;
  for (let run = 0; run < RUNS; run += 1) if (happens(seededRandom(deriveSeed(seed, run)))) count += 1;
  return count / RUNS;
}

/** Latencies vary by factors, with a long tail. */
function observation(random: Random, quality: number, slowness = 1) {
  const latencyMs = 300 * slowness * Math.exp(1.2 * (random() + random() + random() - 1.5));
  return {
    quality: Number(random() < quality),
    latencyMs,
    nanodollars: 1_000 + Math.floor(random() * 3_000),
  };
}

test('an interval that is looked at all the time misses the truth in at most 5 % of streams', () => {
  for (const [seed, mean] of [0.5, 0.9, 0.02].entries()) {
    const missed = share(seed, (random) => {
      const sequence = new ConfidenceSequence(ALPHA);
      for (let count = 0; count < 600; count += 1) {
        sequence.add(Number(random() < mean));
        if (sequence.interval.low > mean || sequence.interval.high < mean) return true;
      }
      return false;
    });
    assert.ok(missed <= ALPHA, `mean ${mean}: ${missed}`);
  }
});

test('variants that are alike are called different on any measure, at any look, at most 5 % of the time', () => {
  const called = share(10, (random) => {
    const experiment = new Experiment('a', 2, ALPHA);
    for (let count = 0; count < 400; count += 1) {
      experiment.add('a', observation(random, 0.8));
      experiment.add('b', observation(random, 0.8));
      if (experiment.comparisons().some(({ verdict }) => verdict !== 'undecided')) return true;
    }
    return false;
  });
  assert.ok(called <= ALPHA, `${called}`);
});

test('nor where what is asked gets harder for both of them, however few one of them gets', () => {
  for (const [seed, every] of [2, 10].entries()) {
    const called = share(50 + seed, (random) => {
      const experiment = new Experiment('a', 2, ALPHA);
      for (let count = 0; count < 1_200; count += 1) {
        const variant = count % every === 0 ? 'b' : 'a';
        experiment.add(variant, observation(random, count < 600 ? 0.9 : 0.4));
        if (experiment.comparisons().some(({ verdict }) => verdict !== 'undecided')) return true;
      }
      return false;
    });
    assert.ok(called <= ALPHA, `one of ${every}: ${called}`);
  }
});

test('a variant that is much worse, or twice as slow, is found', () => {
  const looks = (quality: number, slowness: number, measure: string, seed: number) =>
    share(seed, (random) => {
      const experiment = new Experiment('a', 2, ALPHA);
      for (let count = 0; count < 400; count += 1) {
        experiment.add('a', observation(random, 0.9));
        experiment.add('b', observation(random, quality, slowness));
      }
      return experiment.comparisons().some((each) => each.measure === measure && each.verdict === 'worse');
    });
  assert.ok(looks(0.6, 1, 'quality', 20) >= 0.95);
  assert.ok(looks(0.9, 2, 'latency', 21) >= 0.95);
});

test('what doesn’t drift raises no alarm over many windows, but in at most 5 % of streams', () => {
  const alarmed = share(30, (random) => {
    const detector = new DriftDetector({ reference: 100, window: 100, alpha: ALPHA });
    for (let count = 0; count < 1_000; count += 1) if (detector.add(Number(random() < 0.7))) return true;
    return false;
  });
  assert.ok(alarmed <= ALPHA, `${alarmed}`);
});

test('a whole monitor of scores, lengths, refusals, languages and topics keeps to 5 % together', () => {
  const languages = ['eng', 'deu', 'fra'];
  const alarmed = share(31, (random) => {
    const monitor = new DriftMonitor({ reference: 80, window: 100, alpha: ALPHA });
    for (let count = 0; count < 400; count += 1) {
      const features = {
        length: random(),
        refusal: random() < 0.05,
        language: languages[Math.floor(random() * 3)]!,
        topic: random() < 0.5 ? 'billing' : 'other',
      };
      if (monitor.add(Number(random() < 0.8), features).length > 0) return true;
    }
    return false;
  });
  assert.ok(alarmed <= ALPHA, `${alarmed}`);
});

test('a fall of the score, and a language that takes over, are found and named', () => {
  const random = seededRandom(40);
  const monitor = new DriftMonitor({ reference: 200, window: 500, alpha: ALPHA });
  const found = new Set<string>();
  for (let count = 0; count < 900; count += 1) {
    const isLater = count > 400;
    const features = {
      length: 0.5,
      refusal: false,
      language: random() < (isLater ? 0.9 : 0.1) ? 'deu' : 'eng',
      topic: 'other',
    };
    for (const { measure, drift } of monitor.add(Number(random() < (isLater ? 0.4 : 0.9)), features))
      found.add(`${measure} ${drift}`);
  }
  assert.deepEqual([...found].sort(), ['language:deu up', 'language:eng down', 'score down']);
});
