import type { Finding } from './monitor.js';

/** What was found, for a person who reads an alert. */
export function messageOf(finding: Finding): string {
  switch (finding.kind) {
    case 'low_score':
      return `The last ${finding.samples} answers of ${finding.model} score ${finding.mean.toFixed(2)} on average.`;
    case 'drift': {
      const { model, measure, drift, reference, current } = finding;
      return `${measure} of ${model} went ${drift} from ${reference.toFixed(2)} to ${current.toFixed(2)}.`;
    }
    case 'variant': {
      const { route, comparison } = finding;
      const { variant, against, measure, interval, verdict } = comparison;
      const change =
        measure === 'quality'
          ? `${signed(interval.low, 3)} to ${signed(interval.high, 3)} points of score`
          : `${signed(100 * Math.expm1(interval.low), 0)} to ${signed(100 * Math.expm1(interval.high), 0)} %`;
      return `${variant} is ${verdict} than ${against} on the route ${route}: ${measure} ${change}.`;
    }
  }
}

function signed(value: number, digits: number): string {
  return `${value < 0 ? '−' : '+'}${Math.abs(value).toFixed(digits)}`;
}
