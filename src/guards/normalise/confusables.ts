/**
 * Letters that look like a Latin one, by the Latin letter. NFKC already folds full-width, circled, mathematical and
 * the like; these are letters of other scripts, small capitals and strokes, which it keeps.
 */
const lookAlikes: Record<string, string> = {
  a: 'аαɑạᴀ',
  b: 'ЬƄʙᖯ',
  c: 'сϲᴄⅽ',
  d: 'ԁɗᴅժ',
  e: 'еҽєᴇɛ',
  f: 'ƒꜰſ',
  g: 'ɡցɢ',
  h: 'һհʜ',
  i: 'іιıɪїί',
  j: 'јϳᴊ',
  k: 'кκᴋ',
  l: 'ӏłʟ',
  m: 'мᴍ',
  n: 'ոռɴո',
  o: 'оοօᴏөσ',
  p: 'рρᴘ',
  q: 'ԛզ',
  r: 'гᴦʀ',
  s: 'ѕꜱ',
  t: 'тτᴛ',
  u: 'υսᴜ',
  v: 'νѵᴠ',
  w: 'ѡԝᴡω',
  x: 'хχ',
  y: 'уүγʏ',
  z: 'ᴢ',
  A: 'АΑ',
  B: 'ВΒ',
  C: 'СϹ',
  D: 'Ꭰ',
  E: 'ЕΕ',
  G: 'Ԍ',
  H: 'НΗ',
  I: 'ІΙӀ',
  J: 'Ј',
  K: 'КΚ',
  L: 'Ꮮ',
  M: 'МΜ',
  N: 'Ν',
  O: 'ОΟՕ',
  P: 'РΡ',
  S: 'Ѕ',
  T: 'ТΤ',
  U: 'Ս',
  V: 'Ѵ',
  W: 'Ԝ',
  X: 'ХΧ',
  Y: 'ҮΥ',
  Z: 'Ζ',
};

const latinOf = new Map(
  Object.entries(lookAlikes).flatMap(([latin, others]) =>
    [...others].map((other) => [other, latin] as const),
  ),
);

/** The Latin letter that `character` (one code point) looks like. */
export function looksLike(character: string): string | undefined {
  return latinOf.get(character);
}
