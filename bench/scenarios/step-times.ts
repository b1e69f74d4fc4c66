import { metricTotal, type Sample } from '../servers/metrics.js';

export const phases = ['schedule', 'forward', 'sample', 'emit'] as const;

export interface StepTimes {
  steps: number;
  generated: number; // tokens
  graphsReused: number;
  msPerStep: Record<(typeof phases)[number], number>;
}

/** Of the steps between two readings of the engine's own counters. */
export function stepTimes(before: readonly Sample[], after: readonly Sample[]): StepTimes {
  const gained = (name: string, labels: Record<string, string> = {}) =>
    metricTotal(after, name, labels) - metricTotal(before, name, labels);
  const steps = gained('sluice_steps_total');
  const ms = phases.map((phase) => [phase, (gained('sluice_step_seconds_total', { phase }) * 1000) / steps]);
  return {
    steps,
    generated: gained('sluice_engine_tokens_total', { kind: 'generated' }),
    graphsReused: gained('sluice_graphs_reused_total'),
    msPerStep: Object.fromEntries(ms) as StepTimes['msPerStep'],
  };
}

export function outsideForwardMs({ msPerStep }: StepTimes): number {
  return msPerStep.schedule + msPerStep.sample + msPerStep.emit;
}

export function wholeStepMs(times: StepTimes): number {
  return times.msPerStep.forward + outsideForwardMs(times);
}
