/** Of a two-sided interval of 95 %. */
export const Z_95 = 1.96;

/** Lower bound of a proportion (Wilson 1927). */
export function wilsonLower(hits: number, total: number, z: number): number {
  if (total === 0) return 0;
  const share = hits / total;
  const z2 = z * z;
  const centre = share + z2 / (2 * total);
  const margin = z * Math.sqrt((share * (1 - share) + z2 / (4 * total)) / total);
  return Math.max(0, (centre - margin) / (1 + z2 / total));
}

/** Both bounds at once; [0, 1] where nothing is known. */
export function wilsonInterval(hits: number, total: number, z: number): [low: number, high: number] {
  return [wilsonLower(hits, total, z), 1 - wilsonLower(total - hits, total, z)];
}
