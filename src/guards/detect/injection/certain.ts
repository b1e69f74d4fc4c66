/** The score from which the words alone tell an attack in the profile `thorough`, whatever the probe says; that of a plain order to ignore what was said before. */
export const CERTAIN_BY_WORDS = 0.995;
