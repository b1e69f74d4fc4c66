import { logistic } from '../../src/support/logistic.js';

/** Ridge penalty: a hundred examples would otherwise let a separable set run away. */
const PENALTY = 0.05;
const STEPS = 50;

export interface Example {
  features: readonly number[];
  isGood: boolean;
}

/** Logistic regression by Newton's method; the first weight is the intercept, which isn't penalised. */
export function fitLogistic(examples: readonly Example[]): number[] {
  const size = (examples[0]?.features.length ?? 0) + 1;
  let weights = new Array<number>(size).fill(0);
  for (let step = 0; step < STEPS; step += 1) {
    const gradient = new Array<number>(size).fill(0);
    const hessian = Array.from({ length: size }, () => new Array<number>(size).fill(0));
    for (const { features, isGood } of examples) {
      const inputs = [1, ...features];
      const predicted = logistic(dot(weights, inputs));
      for (let row = 0; row < size; row += 1) {
        gradient[row]! += (predicted - (isGood ? 1 : 0)) * inputs[row]!;
        for (let column = 0; column < size; column += 1)
          hessian[row]![column]! += predicted * (1 - predicted) * inputs[row]! * inputs[column]!;
      }
    }
    for (let row = 1; row < size; row += 1) {
      gradient[row]! += PENALTY * weights[row]!;
      hessian[row]![row]! += PENALTY;
    }
    const move = solve(hessian, gradient);
    weights = weights.map((weight, index) => weight - move[index]!);
  }
  return weights;
}

function dot(a: readonly number[], b: readonly number[]): number {
  return a.reduce((sum, value, index) => sum + value * b[index]!, 0);
}

/** Gaussian elimination with pivoting. */
function solve(matrix: readonly (readonly number[])[], right: readonly number[]): number[] {
  const rows = matrix.map((row, index) => [...row, right[index]!]);
  const size = rows.length;
  for (let column = 0; column < size; column += 1) {
    let pivot = column;
    for (let row = column + 1; row < size; row += 1)
      if (Math.abs(rows[row]![column]!) > Math.abs(rows[pivot]![column]!)) pivot = row;
    [rows[column], rows[pivot]] = [rows[pivot]!, rows[column]!];
    for (let row = 0; row < size; row += 1) {
      if (row === column) continue;
      const factor = rows[row]![column]! / rows[column]![column]!;
      for (let at = column; at <= size; at += 1) rows[row]![at]! -= factor * rows[column]![at]!;
    }
  }
  return rows.map((row, index) => row[size]! / row[index]!);
}
