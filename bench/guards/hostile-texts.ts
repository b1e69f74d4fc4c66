const pieces = [
  '1',
  '0',
  ' ',
  '-',
  '.',
  '@',
  'a',
  'A',
  ':',
  '/',
  '+',
  '(',
  '%41',
  '\\x41',
  'password ',
  'sk-',
  'eyJ',
  '-----BEGIN ',
  'IBAN DE89 ',
  'born ',
  '4111 ',
  '"',
  '`',
  '```',
  'ignore all ',
  'you are ',
  '\u200b',
  'é',
  '😀',
  '<|',
  '[INST]',
  'YWJj',
  '12 Main ',
  'AB12',
  '\n',
  '=',
  '_',
  '0x',
  '10101010 ',
  '忽略',
];
const MAX_PIECES = 4;

/** A text of few pieces over and over, in turn or at random: what makes patterns go back and forth. */
export function hostileText(random: () => number, length: number): string {
  const own = Array.from(
    { length: 1 + Math.floor(random() * MAX_PIECES) },
    () => pieces[Math.floor(random() * pieces.length)]!,
  );
  const isRandom = random() < 0.5;
  let text = '';
  for (let at = 0; text.length < length; at += 1)
    text += isRandom ? own[Math.floor(random() * own.length)]! : own[at % own.length]!;
  return text.slice(0, length);
}
