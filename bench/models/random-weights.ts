import { toHalf } from '../../src/gguf/half.js';
import { TensorType, tensorBytes } from '../../src/gguf/tensor-types.js';
import { type Random, randomNormal, seededRandom } from '../workload/random.js';

/** Types that this writes. */
export type WeightType = 'f32' | 'f16' | 'q4_k' | 'q6_k';

export const weightTypes: Record<WeightType, number> = {
  f32: TensorType.f32,
  f16: TensorType.f16,
  q4_k: 12,
  q6_k: 14,
};

const POOL_BYTES = 32 * 2 ** 20;

/**
 * Bytes of tensors with random weights. A tensor's bytes are taken from one pool for its type and deviation, each
 * from another place: drawing billions of numbers one by one would take an hour.
 */
export class RandomWeights {
  readonly #random: Random;
  readonly #pools = new Map<string, Buffer>();

  constructor(seed: number) {
    this.#random = seededRandom(seed);
  }

  /** Values of mean 0, in pieces. */
  *bytes(type: WeightType, shape: readonly number[], deviation: number): Generator<Buffer> {
    const block = tensorBytes(weightTypes[type], [type.endsWith('_k') ? 256 : 1])!;
    const total = tensorBytes(weightTypes[type], shape);
    if (total === null) throw new RangeError(`Rows of ${shape[0]} can't be of type ${type}`);
    const pool = this.#pool(type, deviation, block);
    let from = Math.floor((this.#random() * pool.length) / block) * block;
    for (let left = total; left > 0; from = 0) {
      const piece = pool.subarray(from, Math.min(pool.length, from + left));
      left -= piece.length;
      yield piece;
    }
  }

  #pool(type: WeightType, deviation: number, block: number): Buffer {
    const key = `${type} ${deviation}`;
    let pool = this.#pools.get(key);
    if (pool === undefined) {
      pool = Buffer.alloc(Math.floor(POOL_BYTES / block) * block);
      for (let at = 0; at < pool.length; at += block) this.#fill(pool, at, type, deviation);
      this.#pools.set(key, pool);
    }
    return pool;
  }

  #fill(pool: Buffer, at: number, type: WeightType, deviation: number): void {
    switch (type) {
      case 'f32':
        pool.writeFloatLE(randomNormal(this.#random) * deviation, at);
        break;
      case 'f16':
        pool.writeUInt16LE(toHalf(randomNormal(this.#random) * deviation), at);
        break;
      case 'q4_k':
        this.#noise(pool, at + 4, 140);
        // value = d · scale · q − dmin · min, with scale and min of 0–63 and q of 0–15
        pool.writeUInt16LE(toHalf(deviation / Q4_K_DEVIATION), at);
        pool.writeUInt16LE(toHalf((deviation / Q4_K_DEVIATION) * 7.5), at + 2);
        break;
      case 'q6_k':
        this.#noise(pool, at, 208);
        // value = d · scale · (q − 32), with scale of −128–127 and q of 0–63
        pool.writeUInt16LE(toHalf(deviation / Q6_K_DEVIATION), at + 208);
        break;
    }
  }

  #noise(pool: Buffer, at: number, length: number): void {
    for (let i = 0; i < length; i++) pool[at + i] = this.#random() * 256;
  }
}

const uniformVariance = (values: number) => (values ** 2 - 1) / 12;

/** Of scale · q − 7.5 · min, where all three are uniform. */
const Q4_K_DEVIATION = Math.sqrt(
  (uniformVariance(64) + 31.5 ** 2) * (uniformVariance(16) + 7.5 ** 2) -
    (31.5 * 7.5) ** 2 +
    7.5 ** 2 * uniformVariance(64),
);

/** Of scale · (q − 32), where both are uniform. */
const Q6_K_DEVIATION = Math.sqrt((uniformVariance(256) + 0.25) * (uniformVariance(64) + 0.25));
