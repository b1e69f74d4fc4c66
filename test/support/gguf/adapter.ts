import { encodeGguf, type Tensor } from './gguf-writer.js';
import { buildModel, type ModelSpec } from './models.js';
import { Random } from './random.js';

const RANK = 2;

/** Random changes of low rank of some matrices of a model: as a LoRA for it, and as the model that has them in its weights. */
export function buildAdapted(spec: ModelSpec, names: readonly string[]): { adapter: Buffer; model: Buffer } {
  const random = new Random(spec.shape.seed + 1000);
  const tensors: Tensor[] = [];
  const change = (matrix: Tensor): Tensor => {
    if (!names.includes(matrix.name)) return matrix;
    const [inputs, outputs] = matrix.shape as [number, number];
    const a = random.spread(RANK * inputs, 1 / Math.sqrt(inputs));
    const b = random.spread(outputs * RANK, 3);
    tensors.push(
      { name: `${matrix.name}.lora_a`, shape: [inputs, RANK], type: 'f32', values: a },
      { name: `${matrix.name}.lora_b`, shape: [RANK, outputs], type: 'f32', values: b },
    );
    const values = matrix.values.map((value, index) => {
      const [output, input] = [Math.floor(index / inputs), index % inputs];
      let sum = value;
      for (let at = 0; at < RANK; at += 1) sum += b[output * RANK + at]! * a[at * inputs + input]!;
      return sum;
    });
    return { ...matrix, values };
  };
  const model = buildModel(spec, change);
  const metadata = {
    'general.architecture': spec.architecture,
    'general.type': 'adapter',
    'adapter.type': 'lora',
    'adapter.lora.alpha': { float32: RANK }, // times the product divided by the rank: 1
  };
  return { adapter: encodeGguf(metadata, tensors), model };
}
