import { answerKindOf } from './answer-kind.js';
import { relationWords, synonymGroups } from './lexicon.js';
import { stemOf, type Word, wordsOf } from './words.js';

/** Why two questions that are close may still ask for different things. */
export type Disagreement =
  | 'negation'
  | 'numbers'
  | 'names'
  | 'words'
  | 'order'
  | 'relation'
  | 'subject'
  | 'kind';

/**
 * Looks for a difference between two questions that the distance of their vectors doesn't show; null: none. It is strict: what it
 * doesn't understand counts as a difference, since a wrong answer is worse than one computed again. O(words²).
 */
export function disagreement(first: string, second: string): Disagreement | null {
  const a = wordsOf(first);
  const b = wordsOf(second);
  if (count(a, 'negation') !== count(b, 'negation')) return 'negation';
  if (!hasSubstance(a) || !hasSubstance(b)) return sameSequence(stems(a), stems(b)) ? null : 'words';
  if (!sameSequence(numbers(a), numbers(b))) return 'numbers';
  const namesOfBoth = names(a, b);
  if (!sameSequence(pick(a, namesOfBoth), pick(b, namesOfBoth)))
    return sameSet(pick(a, namesOfBoth), pick(b, namesOfBoth)) ? 'order' : 'names';
  if (!covers(a, b) || !covers(b, a)) return 'words';
  if (!sameRelations(a, b)) return 'relation';
  if (swapsRoles(a, b)) return 'order';
  if (turnsSubject(a, b) || turnsSubject(b, a)) return 'subject';
  if (answerKindOf(first) !== answerKindOf(second)) return 'kind';
  return null;
}

/** Whether it may be that the gate only lacks words for two questions that are the same. */
export function isDoubtful(reason: Disagreement | null): boolean {
  return reason === 'words' || reason === 'kind';
}

/** "What is it?" and "How is this?" differ only in words that usually say nothing. */
function hasSubstance(words: readonly Word[]): boolean {
  return words.some(({ kind }) => kind === 'plain' || kind === 'number');
}

function stems(words: readonly Word[]): string[] {
  return words.map(({ stem }) => stem);
}

function count(words: readonly Word[], kind: Word['kind']): number {
  return words.filter((word) => word.kind === kind).length;
}

function numbers(words: readonly Word[]): string[] {
  return words.filter(({ kind }) => kind === 'number').map(({ stem }) => stem);
}

/** Stems that are a name in either. A word that begins a sentence may be a name where the other question says so. */
function names(a: readonly Word[], b: readonly Word[]): Set<string> {
  return new Set([...a, ...b].filter(({ isName }) => isName).map(({ stem }) => stem));
}

function pick(words: readonly Word[], stems: ReadonlySet<string>): string[] {
  return words.filter(({ stem }) => stems.has(stem)).map(({ stem }) => stem);
}

function sameSequence(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((stem, i) => stem === b[i]);
}

function sameSet(a: readonly string[], b: readonly string[]): boolean {
  return sameSequence([...a].sort(), [...b].sort());
}

/** Whether each word of the first that matters is in the second, itself or as a word that stands for the same. */
function covers(words: readonly Word[], others: readonly Word[]): boolean {
  return words.every(
    (word) =>
      word.kind !== 'plain' || others.some((other) => word.stem === other.stem || areSynonyms(word, other)),
  );
}

const groupsOfStem = new Map<string, Set<number>>();
for (const [group, words] of synonymGroups.entries()) {
  for (const word of words) {
    const stem = stemOf(word);
    groupsOfStem.set(stem, (groupsOfStem.get(stem) ?? new Set()).add(group));
  }
}

function areSynonyms(a: Word, b: Word): boolean {
  if (a.isName || b.isName) return false;
  const groups = groupsOfStem.get(b.stem);
  return groups !== undefined && [...(groupsOfStem.get(a.stem) ?? [])].some((group) => groups.has(group));
}

/** "The dog bites the man" and "the man bites the dog": two words stand the other way round on both sides of a third. */
function swapsRoles(a: readonly Word[], b: readonly Word[]): boolean {
  const isShared = ({ kind, stem }: Word, others: readonly Word[]) =>
    kind === 'plain' && others.some((other) => other.stem === stem);
  const first = stems(a.filter((word) => isShared(word, b)));
  const second = stems(b.filter((word) => isShared(word, a)));
  return first.some((left, i) => {
    const right = first[i + 2];
    if (right === undefined || left === right) return false;
    const middle = second.indexOf(first[i + 1]!);
    return second.indexOf(right) < middle && middle < second.indexOf(left);
  });
}

/** "From A to B" is another way than "from B to A": where both have a relation, its object must be the same. */
function sameRelations(a: readonly Word[], b: readonly Word[]): boolean {
  const others = relations(b);
  return [...relations(a)].every(([relation, object]) => {
    const other = others.get(relation);
    return other === undefined || other.stem === object.stem || areSynonyms(object, other);
  });
}

/** The next word that matters after each word of relation. */
function relations(words: readonly Word[]): Map<string, Word> {
  const found = new Map<string, Word>();
  words.forEach(({ text }, at) => {
    const relation = relationWords.get(text);
    const object = words.slice(at + 1, at + 4).find(({ kind }) => kind === 'plain' || kind === 'number');
    if (relation !== undefined && object) found.set(relation, object);
  });
  return found;
}

const auxiliaries =
  /^(?:am|is|are|was|were|be|do|does|did|can|could|will|would|shall|should|may|might|must|has|have|had)$/;
/** Within so many words an auxiliary shows that it isn't the subject which is asked for. */
const auxiliaryReach = 6;

/**
 * "What eats a fox?" asks for the verb's subject, "What does a fox eat?" for its object: whether the verb of the first
 * question stands in the second, which doesn't ask for its subject, nor in the passive voice.
 */
function turnsSubject(a: readonly Word[], b: readonly Word[]): boolean {
  const verb = subjectVerb(a);
  if (verb === null || subjectVerb(b) !== null) return false;
  return b.some(({ stem }) => stem === verb) && !b.some(({ text }) => text === 'by');
}

/** The stem of the verb after "who", "what" or "which …"; null: the question isn't for its subject. */
function subjectVerb(words: readonly Word[]): string | null {
  const asking = words[0]?.text ?? '';
  if (!/^(?:who|what|which)$/.test(asking)) return null;
  if (words.slice(1, auxiliaryReach).some(({ text }) => auxiliaries.test(text))) return null;
  return words[asking === 'which' ? 2 : 1]?.stem ?? null;
}
