import { tokenBytes } from '../../generation/shown-token.js';
import { VocabFlag, type VocabTable } from '../../native/types.js';
import { templateTokens as knownTokens } from '../detect/injection/template-tokens.js';
import type { Finding } from '../finding.js';

export const TEMPLATE_TOKEN = 'template_token';

/** Shorter control tokens could be anybody's text. */
const MIN_LENGTH = 3;

/** Finds control tokens: those of common templates, and those of the models that are loaded here. */
export class TemplateTokens {
  readonly #vocabs: () => readonly VocabTable[];
  readonly #textsOf = new WeakMap<VocabTable, string[]>();
  #vocabsKnown: readonly VocabTable[] = [];
  #pattern: RegExp = knownTokens;

  constructor(vocabs: () => readonly VocabTable[]) {
    this.#vocabs = vocabs;
  }

  find(text: string): Finding[] {
    return Array.from(text.matchAll(this.#currentPattern()), ({ 0: match, index: start }) => {
      const end = start + match.length;
      return { start, end, category: TEMPLATE_TOKEN, score: 1, isValidated: true, detail: null };
    });
  }

  #currentPattern(): RegExp {
    const vocabs = this.#vocabs();
    if (
      vocabs.length === this.#vocabsKnown.length &&
      vocabs.every((vocab, i) => vocab === this.#vocabsKnown[i])
    )
      return this.#pattern;
    const texts = new Set(vocabs.flatMap((vocab) => this.#controlTexts(vocab)));
    const literals = [...texts].sort((a, b) => b.length - a.length).map(escaped);
    this.#pattern = new RegExp([knownTokens.source, ...literals].join('|'), 'g');
    this.#vocabsKnown = [...vocabs];
    return this.#pattern;
  }

  #controlTexts(vocab: VocabTable): string[] {
    const known = this.#textsOf.get(vocab);
    if (known) return known;
    const texts: string[] = [];
    for (const [token, flags] of vocab.flags.entries()) {
      if (!(flags & (VocabFlag.control | VocabFlag.endOfGeneration))) continue;
      const text = Buffer.from(tokenBytes(vocab, token)).toString('utf8');
      if (text.length >= MIN_LENGTH && /^[<[]/.test(text)) texts.push(text);
    }
    this.#textsOf.set(vocab, texts);
    return texts;
  }
}

/** The same to a reader, but no token to a tokeniser. */
export function broken(token: string): string {
  return `${token.slice(0, 1)} ${token.slice(1)}`;
}

function escaped(text: string): string {
  return text.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&');
}
