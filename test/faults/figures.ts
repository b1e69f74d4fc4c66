import { atMost, type Figure, figure } from '../../bench/scenarios/outcome.js';
import type { Row } from './table.js';

export function figuresOf(row: Row): Figure[] {
  const none = (what: string, value: number, unit: string) =>
    figure(`${row.name}: ${what}`, value, unit, atMost(0));
  return [
    figure(`${row.name}: times`, row.times, 'times'),
    figure(`${row.name}: requests`, row.requests, 'requests'),
    figure(`${row.name}: asked again, their gateway having died`, row.askedAgain, 'requests'),
    none('accepted and lost', row.lost, 'requests'),
    none('answered twice', row.answeredTwice, 'requests'),
    none('streams with gaps or repeats', row.gapsOrRepeats, 'requests'),
    none('budget error', row.budgetError, 'tokens'),
    none('left in Redis', row.leftInRedis, 'entries'),
  ];
}
