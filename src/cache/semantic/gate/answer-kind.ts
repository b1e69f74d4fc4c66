/** What kind of answer a question wants, by its form. */
export type AnswerKind =
  | 'time'
  | 'place'
  | 'count'
  | 'cost'
  | 'duration'
  | 'distance'
  | 'frequency'
  | 'reason'
  | 'manner'
  | 'difference'
  | 'decision'
  | 'other';

/** What may stand before a question, in this order. */
const preambles: readonly RegExp[] = [
  /^(?:hi|hello|hey)\b[,!. ]*/,
  /^please /,
  /^(?:can|could|would|will) you (?:please )?(?=(?:tell|explain|show|give|help|let|teach|translate|write|list|suggest|recommend|calculate|convert|summarise|summarize|create|generate|draft|compose|plan|describe)\b)/,
  /^do you know /,
  /^i(?:'d| would)? (?:like|want|need) to know /,
  /^(?:tell|show|teach) me /,
  /^explain (?:to me )?/,
  /^let me know /,
];

/** In this order: the first that fits. */
const forms: readonly (readonly [AnswerKind, RegExp])[] = [
  ['difference', /\bdiffer(?:s|ent|ence|ences)?\b/],
  ['reason', /\bwhy\b|\breasons?\b|\bwhat (?:makes|causes|caused|made)\b/],
  ['cost', /\b(?:costs?|price|expensive)\b/],
  ['frequency', /\bhow (?:often|frequently|many times)\b/],
  ['distance', /\bhow far\b|\bdistance\b/],
  [
    'duration',
    /\bhow long\b|\bhow many (?:minutes|hours|days|weeks) (?:does|do|will|did) (?!a\b)|\b(?:flight|travel) time\b|\bduration\b/,
  ],
  ['other', /\bhow (?:do|would|can|should) (?:i|you|we|one) say\b/],
  ['manner', /\bwhere (?:can|do|could|should) i (?:find|see|check|change|view|update|download) my\b/],
  ['count', /\bhow many\b|\bnumber of\b/],
  ['place', /\bwhere\b|\b(?:which|what) (?:place|location)\b/],
  [
    'time',
    /\bwhen\b(?! i\b)|\b(?:what|which) (?:time|year|date|day|month)\b|\b(?:best|worst|right) time to\b/,
  ],
  [
    'manner',
    /\bhow (?:do|can|should|could|would|may|might) (?:i|you|we|one)\b|\bhow to\b|\bwhat (?:can|should|could|do|must) (?:i|you|we) do\b|\bwhat (?:do|would) (?:i|you|we) (?:need|have) to\b|\bwhat does it take to\b|\bwhat (?:helps|gets)\b|\b(?:way|ways|steps|process|method|procedure|command|tips|recipe|formula)(?: \w+)? (?:to|for|of|on)\b|\bwhat command\b|\bhow (?:do|does|did|is|are|was|were)\b|\bin what way\b|\bworking principle\b|\bhow can \w+ be\b|\bthings to (?:do|see)\b/,
  ],
  ['decision', /^(?:is|are|was|were|do|does|did|can|could|will|would|should|has|have|may|must)\b/],
];

export function answerKindOf(question: string): AnswerKind {
  const sentence = lastSentence(question.toLowerCase().replaceAll('’', "'"));
  const asked = preambles.reduce((text, preamble) => text.replace(preamble, ''), sentence);
  return forms.find(([, form]) => form.test(asked))?.[0] ?? 'other';
}

function lastSentence(text: string): string {
  return (
    text
      .split(/(?<=[.!?])\s+/)
      .map((sentence) => sentence.trim())
      .filter((sentence) => sentence !== '')
      .at(-1) ?? ''
  );
}
