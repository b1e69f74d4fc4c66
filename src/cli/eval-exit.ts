/** Exit statuses of `sluice eval` beside 0 (done) and 1 (it could not be run). */
export const exitStatus = { worse: 2, notAllScored: 3 } as const;
