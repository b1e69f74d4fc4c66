/** Uniform numbers in [0, 1). */
export type Random = () => number;

/** SplitMix32: a 32-bit counter through a finaliser, so that any seed, also 0, gives a good stream. Period 2^32. */
export function seededRandom(seed: number): Random {
  let state = seed | 0;
  return () => {
    state = (state + 0x9e3779b9) | 0;
    return finalise(state) / 2 ** 32;
  };
}

/** A seed for item `index` of a stream, so that items don't depend on the order in which they are drawn. */
export function deriveSeed(seed: number, index: number): number {
  return finalise(finalise(seed | 0) ^ Math.imul(index + 1, 0x85ebca6b));
}

/** Steele, Lea and Flood's mix with Mueller's constants for 32 bits. */
function finalise(value: number): number {
  let mixed = value;
  mixed = Math.imul(mixed ^ (mixed >>> 16), 0x21f0aaad);
  mixed = Math.imul(mixed ^ (mixed >>> 15), 0x735a2d97);
  return (mixed ^ (mixed >>> 15)) >>> 0;
}
