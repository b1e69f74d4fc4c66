/** What makes a step long: how many tokens it computes, for how many of them logits, and over how much context. */
export interface StepShape {
  tokens: number;
  outputs: number; // of a small model with a large vocabulary these are the larger part
  context: number; // sum over the step's tokens of the positions each attends to
}

const featureCount = 4;
const tokenScale = 1 / 64; // features of similar size make the ridge fair to all of them
const contextScale = 1 / 65_536;
const outputScale = 1 / 32;
const decay = 0.97; // a step's weight halves every ~23 steps
const ridge = 0.05; // pull of the last estimate, in steps: keeps what steady decoding cannot tell apart
const shortestMs = 0.1;
const decodeShare = 0.2; // of the newest decode alone in the average of them
const errorShare = 0.25; // of the newest step with a prompt in the average error
const maxError = 1.25; // as a factor, either way: a step further off was held up by something else
const sweeps = 8; // of coordinate descent; the estimate moves on every step, so exact convergence is not needed

/**
 * Predicts a step's time as base + perToken · tokens + perContext · context + perOutput · outputs (milliseconds, none negative), by least
 * squares with exponential forgetting. The ridge towards the last estimate holds still whatever the recent steps
 * don't determine (a steady decode shows one shape only); without it forgetting would blow such directions up.
 */
export class StepTimeModel {
  /** What steps with prompts took lately, as a factor of what was predicted: costs that rise with a prompt's positions run ahead of the sums. */
  promptError = 1;
  private readonly weights: Float64Array;
  private readonly normal = new Float64Array(featureCount * featureCount);
  private readonly moments = new Float64Array(featureCount);
  private readonly x = new Float64Array(featureCount);
  private readonly prior = new Float64Array(featureCount);
  /** Steps of decodes alone, as last seen. */
  private decodes = { count: 0, ms: 0 };

  /** The priors are a guess for the first steps only. */
  constructor(baseMs = 5, perTokenMs = 0.5, perContextMs = 1e-4, perOutputMs = 0.5) {
    this.weights = Float64Array.of(
      baseMs,
      perTokenMs / tokenScale,
      perContextMs / contextScale,
      perOutputMs / outputScale,
    );
  }

  predictMs(shape: StepShape): number {
    return (
      this.weights[0]! +
      this.weights[1]! * shape.tokens * tokenScale +
      this.weights[2]! * shape.context * contextScale +
      this.weights[3]! * shape.outputs * outputScale
    );
  }

  /**
   * Time of a step of these decodes and nothing else. While a long prompt is read no such step is seen, and the sums
   * can't tell what its decodes cost from what its chunks do: what was seen before bounds it.
   */
  predictDecodesMs(shape: StepShape): number {
    const { count, ms } = this.decodes;
    if (count === 0) return this.predictMs(shape);
    return Math.min(this.predictMs(shape), ms * Math.max(1, shape.tokens / count));
  }

  /** O(1): a 4 × 4 system. */
  observe(shape: StepShape, elapsedMs: number): void {
    if (shape.tokens === shape.outputs) this.rememberDecodes(shape.tokens, elapsedMs);
    else this.rememberError(elapsedMs / this.predictMs(shape));
    // Divided by its time, a step counts by its relative error: a long one has no more say than a short one.
    const scale = 1 / Math.max(elapsedMs, shortestMs);
    const x = this.x;
    x[0] = scale;
    x[1] = scale * shape.tokens * tokenScale;
    x[2] = scale * shape.context * contextScale;
    x[3] = scale * shape.outputs * outputScale;
    for (let i = 0; i < featureCount; i++) {
      this.moments[i] = this.moments[i]! * decay + x[i]! * scale * elapsedMs;
      for (let j = 0; j < featureCount; j++) {
        const at = i * featureCount + j;
        this.normal[at] = this.normal[at]! * decay + x[i]! * x[j]!;
      }
    }
    this.solve(ridge * scale * scale);
  }

  /**
   * Prompt tokens that can join `shape`, the first of them at position `from`, so that the step is predicted to
   * stay under `targetMs`. 0 where not even one fits.
   */
  promptTokensWithin(targetMs: number, shape: StepShape, from: number): number {
    const left = targetMs - this.predictMs(shape);
    if (left <= 0) return 0;
    // n tokens from position p on attend to n·p + n²/2 positions: a·n² + b·n = left.
    const perContext = this.weights[2]! * contextScale;
    const a = perContext / 2;
    const b = this.weights[1]! * tokenScale + perContext * from;
    if (a < 1e-12) return b < 1e-12 ? Number.MAX_SAFE_INTEGER : Math.floor(left / b);
    return Math.floor((Math.sqrt(b * b + 4 * a * left) - b) / (2 * a));
  }

  /** What prompt tokens from position `from` on cost a step beside what it costs anyway. */
  promptMs(count: number, from: number): number {
    const context = count * from + (count * count) / 2;
    return this.weights[1]! * tokenScale * count + this.weights[2]! * contextScale * context;
  }

  private rememberDecodes(count: number, elapsedMs: number): void {
    const { ms } = this.decodes;
    const isAlike = count === this.decodes.count;
    this.decodes = { count, ms: isAlike ? ms + decodeShare * (elapsedMs - ms) : elapsedMs };
  }

  private rememberError(error: number): void {
    if (error > maxError || error < 1 / maxError) return;
    this.promptError += errorShare * (error - this.promptError);
  }

  private solve(pull: number): void {
    this.prior.set(this.weights);
    for (let sweep = 0; sweep < sweeps; sweep++) {
      for (let i = 0; i < featureCount; i++) {
        let rest = this.moments[i]! + pull * this.prior[i]!;
        for (let j = 0; j < featureCount; j++) {
          if (j !== i) rest -= this.normal[i * featureCount + j]! * this.weights[j]!;
        }
        this.weights[i] = Math.max(0, rest / (this.normal[i * featureCount + i]! + pull));
      }
    }
  }
}
