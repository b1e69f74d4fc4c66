import { logistic } from '../../../support/logistic.js';
import { parseWeightsFile, readWeightsFile } from '../weights-file.js';

export interface ProbeHeader {
  model: string; // whose states it reads, as `models list` has it
  layers: readonly number[]; // after which of its layers
  stateSize: number; // numbers of a token's state after one of them
  features: number; // made of each token; a multiple of four
  views: number; // ways to weigh the tokens of a text
  /** The probability is the sigmoid of slope × score + wordsSlope × the log-odds of the words' classifier + intercept. */
  slope: number;
  wordsSlope: number;
  intercept: number;
  threshold: number; // probability from which on a text counts as an attack
}

/** In this order in the file. */
export interface ProbeWeights {
  project: Float32Array; // [features × layers × stateSize]
  projectBias: Float32Array; // [features]
  attend: Float32Array; // [views × features]
  attendBias: Float32Array; // [views]
  output: Float32Array; // [(1 + views) × features]: of the mean, then of each view
  outputBias: Float32Array; // [1]
}

const MARK = 'SLP1';

/**
 * Reads an attack out of a language model's states in the middle of its layers: features of each token, their mean and
 * several attentive means over the text, a linear judgement of these, and of what the words say.
 */
export class ProbeHead {
  readonly header: ProbeHeader;
  readonly #weights: ProbeWeights;

  constructor(header: ProbeHeader, weights: ProbeWeights) {
    this.header = header;
    this.#weights = weights;
  }

  /** From models/guards, where `npm run train:guards -- injection-probe` writes it. */
  static load(name: string): ProbeHead {
    return ProbeHead.parse(readWeightsFile(name));
  }

  /** Weights are float32. */
  static parse(file: Buffer): ProbeHead {
    const { header, weights: bytes } = parseWeightsFile<ProbeHeader>(file, MARK, 'probe');
    const { layers, stateSize, features, views } = header;
    let at = 0;
    const take = (numbers: number): Float32Array => {
      const from = at;
      at += numbers * Float32Array.BYTES_PER_ELEMENT;
      return new Float32Array(Uint8Array.from(bytes.subarray(from, at)).buffer);
    };
    const weights = {
      project: take(features * layers.length * stateSize),
      projectBias: take(features),
      attend: take(views * features),
      attendBias: take(views),
      output: take((1 + views) * features),
      outputBias: take(1),
    };
    if (at !== bytes.length) throw new Error(`The probe's weights have ${bytes.length} bytes, not ${at}.`);
    return new ProbeHead(header, weights);
  }

  /** The probability that a text is an attack, by the score of its states and what the classifier of words says of it. */
  probability(score: number, byWords: number): number {
    const { slope, wordsSlope, intercept } = this.header;
    return logistic(slope * score + wordsSlope * logOdds(byWords) + intercept);
  }

  /** Of the states of a text's tokens, [tokens × layers × stateSize]: the higher, the more of an attack. */
  score(states: Float32Array): number {
    const { layers, stateSize, features, views } = this.header;
    const { attend, attendBias, output, outputBias } = this.#weights;
    const inputs = layers.length * stateSize;
    const sums = new Float64Array((1 + views) * features);
    const shares = new Float64Array(1 + views); // of the mean, then of each view
    const token = new Float64Array(features);
    for (let at = 0; at < states.length; at += inputs) {
      this.#featuresOf(states, at, token);
      for (let view = 0; view <= views; view += 1) {
        const share = view === 0 ? 1 : attention(token, attend, view - 1, attendBias);
        shares[view]! += share;
        for (let index = 0; index < features; index += 1)
          sums[view * features + index]! += share * token[index]!;
      }
    }
    let score = outputBias[0]!;
    for (let index = 0; index < sums.length; index += 1)
      score += (output[index]! * sums[index]!) / shares[Math.floor(index / features)]!;
    return score;
  }

  #featuresOf(states: Float32Array, at: number, into: Float64Array): void {
    const { project, projectBias } = this.#weights;
    const inputs = project.length / into.length;
    const [second, third, fourth] = [inputs, 2 * inputs, 3 * inputs];
    // Four sums at once: each waits for its last addition.
    for (let feature = 0; feature < into.length; feature += 4) {
      let [a, b, c, d] = [0, 0, 0, 0];
      for (let index = 0, row = feature * inputs; index < inputs; index += 1, row += 1) {
        const state = states[at + index]!;
        a += project[row]! * state;
        b += project[row + second]! * state;
        c += project[row + third]! * state;
        d += project[row + fourth]! * state;
      }
      for (const [offset, sum] of [a, b, c, d].entries())
        into[feature + offset] = gelu(sum + projectBias[feature + offset]!);
    }
  }
}

/** Bounded as in training: a token weighs at most as much as all others of a long text. */
const MAX_EXPONENT = 15;

function attention(token: Float64Array, attend: Float32Array, view: number, bias: Float32Array): number {
  let sum = bias[view]!;
  for (let index = 0; index < token.length; index += 1)
    sum += attend[view * token.length + index]! * token[index]!;
  return Math.exp(Math.max(-MAX_EXPONENT, Math.min(MAX_EXPONENT, sum)));
}

/** In its approximation by tanh. */
function gelu(x: number): number {
  return 0.5 * x * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3)));
}

/** Bounded: nothing is certain. */
export function logOdds(probability: number): number {
  const bounded = Math.max(1e-4, Math.min(1 - 1e-4, probability));
  return Math.log(bounded / (1 - bounded));
}
