/** A closed loop of equal requests, small enough to repeat on two cores. */
export interface Workload {
  name: string;
  clients: number;
  promptTokens: number;
  sharedTokens: number; // of the prompt, common to all requests
  outputTokens: number;
  requests: number;
}

export const workloads: Workload[] = [
  { name: '64/64 @1', clients: 1, promptTokens: 64, sharedTokens: 0, outputTokens: 64, requests: 8 },
  { name: '64/64 @8', clients: 8, promptTokens: 64, sharedTokens: 0, outputTokens: 64, requests: 32 },
  { name: '64/48 @32', clients: 32, promptTokens: 64, sharedTokens: 0, outputTokens: 48, requests: 64 },
  {
    name: '512 (496 shared)/32 @8',
    clients: 8,
    promptTokens: 512,
    sharedTokens: 496,
    outputTokens: 32,
    requests: 32,
  },
  {
    name: '512 (496 shared)/32 @32',
    clients: 32,
    promptTokens: 512,
    sharedTokens: 496,
    outputTokens: 32,
    requests: 64,
  },
  { name: '64/48 @64', clients: 64, promptTokens: 64, sharedTokens: 0, outputTokens: 48, requests: 128 },
  // Prompts alone: one token tells that they have been read, so tokens a second are prompts a second.
  { name: '1024/1 @4', clients: 4, promptTokens: 1024, sharedTokens: 0, outputTokens: 1, requests: 16 },
];

/** By number, 1 to N, as listed. */
export function selectWorkloads(numbers: readonly number[]): Workload[] {
  return numbers.map((number) => {
    const workload = workloads[number - 1];
    if (workload === undefined) throw new RangeError(`Workloads are numbered 1 to ${workloads.length}.`);
    return workload;
  });
}
