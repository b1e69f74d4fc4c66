/** Stands where sentences were cut, so that neither the model nor a reader takes what is left for the whole. */
const CUT = '[…]';

const segmenter = new Intl.Segmenter(undefined, { granularity: 'sentence' });

/** The sentences of a text, in any language; joined they are the text again. */
export function sentencesOf(text: string): string[] {
  return Array.from(segmenter.segment(text), ({ segment }) => segment);
}

/** One message that is becoming shorter. */
export class Draft {
  readonly #text: string;
  #sentences: string[] | null = null; // split only when asked for
  readonly #cut = new Set<number>();
  isRemoved = false;

  constructor(text: string) {
    this.#text = text;
  }

  get sentences(): readonly string[] {
    this.#sentences ??= sentencesOf(this.#text);
    return this.#sentences;
  }

  get cutSentences(): number {
    return this.isRemoved ? 0 : this.#cut.size;
  }

  /** A message of which nothing is left stays as a mark: templates ask for user and assistant in turns. */
  cut(sentence: number): void {
    this.#cut.add(sentence);
  }

  get text(): string {
    if (this.#cut.size === 0) return this.#text;
    let text = '';
    let isCutting = false;
    for (const [index, sentence] of this.sentences.entries()) {
      if (!this.#cut.has(index)) text += sentence;
      else if (!isCutting) text = `${text.trimEnd()}${text === '' ? '' : ' '}${CUT} `;
      isCutting = this.#cut.has(index);
    }
    return isCutting ? text.trimEnd() : text;
  }
}
