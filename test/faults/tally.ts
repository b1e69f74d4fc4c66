/** What came of the requests of one trial, or of many. All but the first two should be 0. */
export interface Tally {
  requests: number;
  askedAgain: number; // by their clients, whose gateway had died
  lost: number; // accepted, and not answered to the end
  answeredTwice: number;
  gapsOrRepeats: number; // texts that aren't the answer, and usage that isn't what was generated
  budgetError: number; // tokens' worth
  leftInRedis: number; // keys and entries of no use to anybody, when all was over
}

export const noTally: Tally = {
  requests: 0,
  askedAgain: 0,
  lost: 0,
  answeredTwice: 0,
  gapsOrRepeats: 0,
  budgetError: 0,
  leftInRedis: 0,
};

/** Of numbers by the same names. */
export function sumOf<T extends { [Name in keyof T]: number }>(one: T, other: T): T {
  const sum = { ...one } as Record<string, number>;
  for (const [name, value] of Object.entries<number>(other)) sum[name] = (sum[name] ?? 0) + value;
  return sum as T;
}

export function isClean({ requests: _, askedAgain: __, ...faults }: Tally): boolean {
  return Object.values(faults).every((count) => count === 0);
}
