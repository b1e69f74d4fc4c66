/** What a near-duplicate differs in. */
export const nearKinds = [
  'number',
  'name',
  'negation',
  'direction',
  'unit',
  'date',
  'language',
  'opposite',
  'attribute',
] as const;

export type NearKind = (typeof nearKinds)[number];

/** Two questions. An answer to the first may be given to the second only where they are the same. */
export interface Pair {
  first: string;
  second: string;
  kind: 'same' | NearKind;
  source: 'written' | 'framed';
}
