import type { Figure, Report, Run } from '../report/schema.js';

/** What a scenario hands back; the command adds machine, commit and time. */
export type Outcome = Pick<Report, 'scenario' | 'options' | 'runs' | 'comparisons' | 'figures'>;

export type Progress = (line: string) => void;

export function figure(name: string, value: number, unit: string, target: Figure['target'] = null): Figure {
  return { name, value, unit, target };
}

export const atMost = (value: number): Figure['target'] => ({ bound: 'atMost', value });
export const atLeast = (value: number): Figure['target'] => ({ bound: 'atLeast', value });

export type { Figure, Run };
