const float = new Float32Array(1);
const floatBits = new Uint32Array(float.buffer);

/** IEEE 754 binary16 of a finite number, rounded to nearest, ties to even; too large becomes infinity. */
export function toHalf(value: number): number {
  float[0] = value;
  const bits = floatBits[0]!;
  const sign = (bits >>> 16) & 0x8000;
  const exponent = ((bits >>> 23) & 0xff) - 127 + 15;
  if (exponent >= 31) return sign | 0x7c00;
  if (exponent > 0) return sign | roundShift((exponent << 23) | (bits & 0x7fffff), 13);
  // Subnormal: multiples of 2^-24.
  if (exponent < -10) return sign;
  return sign | roundShift((bits & 0x7fffff) | 0x800000, 14 - exponent);
}

/** Drops `count` bits, rounded to nearest, ties to even. A carry into the exponent is the right answer. */
function roundShift(bits: number, count: number): number {
  const kept = bits >>> count;
  const rest = bits & ((1 << count) - 1);
  const tie = 1 << (count - 1);
  return rest > tie || (rest === tie && (kept & 1) === 1) ? kept + 1 : kept;
}
