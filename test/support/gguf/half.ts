const float = new Float32Array(1);
const floatBits = new Uint32Array(float.buffer);

/** IEEE 754 binary16 of a finite number, rounded to nearest, ties to even; too small becomes 0, too large infinity. */
export function toHalf(value: number): number {
  float[0] = value;
  const bits = floatBits[0]!;
  const sign = (bits >>> 16) & 0x8000;
  const exponent = ((bits >>> 23) & 0xff) - 127 + 15;
  if (exponent <= 0) return sign; // the fixtures need no subnormal numbers
  if (exponent >= 31) return sign | 0x7c00;
  const half = (exponent << 10) | ((bits & 0x7fffff) >>> 13);
  const rest = bits & 0x1fff;
  const roundUp = rest > 0x1000 || (rest === 0x1000 && (half & 1) === 1);
  return sign | (half + (roundUp ? 1 : 0)); // a carry into the exponent is the right answer
}
