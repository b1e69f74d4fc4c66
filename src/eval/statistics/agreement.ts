/** Two raters' verdicts on the same cases. */
export interface Agreement {
  cases: number;
  agreed: number; // share
  kappa: number; // Cohen's: 0 is chance, 1 is always
}

export function agreementOf(pairs: readonly (readonly [boolean, boolean])[]): Agreement {
  const cases = pairs.length;
  const share = (count: number) => (cases === 0 ? 0 : count / cases);
  const agreed = share(pairs.filter(([a, b]) => a === b).length);
  const yesA = share(pairs.filter(([a]) => a).length);
  const yesB = share(pairs.filter(([, b]) => b).length);
  const byChance = yesA * yesB + (1 - yesA) * (1 - yesB);
  return {
    cases,
    agreed,
    kappa: byChance === 1 ? Number(agreed === 1) : (agreed - byChance) / (1 - byChance),
  };
}
