import type { Tensor } from './gguf-writer.js';
import { Random } from './random.js';

/** Draws tensors in order from one seed. */
export class Weights {
  readonly tensors: Tensor[] = [];
  readonly #random: Random;

  constructor(seed: number) {
    this.#random = new Random(seed);
  }

  /** A linear layer that keeps its input's variance, or one for each of several experts. */
  matrix(name: string, inputs: number, outputs: number, ...experts: number[]): void {
    this.vector(name, [inputs, outputs, ...experts], 1 / Math.sqrt(inputs), 'f16');
  }

  vector(name: string, shape: number[], deviation: number, type: Tensor['type'] = 'f32'): void {
    const count = shape.reduce((product, size) => product * size, 1);
    this.tensors.push({ name, shape, type, values: this.#random.spread(count, deviation) });
  }

  norm(name: string, size: number): void {
    const values = this.#random.spread(size, 0.1).map((value) => 1 + value);
    this.tensors.push({ name, shape: [size], type: 'f32', values });
  }

  constant(name: string, shape: number[], value: (index: number) => number): void {
    const count = shape.reduce((product, size) => product * size, 1);
    this.tensors.push({
      name,
      shape,
      type: 'f32',
      values: Float32Array.from({ length: count }, (_, i) => value(i)),
    });
  }
}
