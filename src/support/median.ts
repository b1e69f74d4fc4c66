/** Null where there are no values. */
export function medianOf(values: readonly number[]): number | null {
  if (values.length === 0) return null;
  const ascending = Float64Array.from(values).sort();
  const middle = ascending.length >> 1;
  return ascending.length % 2 === 1 ? ascending[middle]! : (ascending[middle - 1]! + ascending[middle]!) / 2;
}
