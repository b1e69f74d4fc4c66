/**
 * Where the earliest candidate that may still grow at the end of `text` begins: a conservative answer for candidates of `inside` characters that
 * begin with one of `starts`, from the run of such characters at the end. Looks back `reach` units at most.
 */
export function openRun(
  text: string,
  inside: (code: number) => boolean,
  starts: (code: number) => boolean,
  reach: number,
): number {
  let open = text.length;
  const floor = Math.max(0, text.length - reach);
  for (let at = text.length - 1; at >= floor; at -= 1) {
    const code = text.charCodeAt(at);
    if (!inside(code)) break;
    if (starts(code)) open = at;
  }
  return open;
}

/**
 * The same by pattern: `start` (flag g) finds where candidates may begin among the last `reach` units, `begun` tells whether all from there to
 * the end may be the beginning of one.
 */
export function openBegun(
  text: string,
  start: RegExp,
  begun: (candidate: string, at: number) => boolean,
  reach: number,
): number {
  const floor = Math.max(0, text.length - reach);
  start.lastIndex = floor;
  for (let match = start.exec(text); match !== null; match = start.exec(text)) {
    if (begun(text.slice(match.index), match.index)) return match.index;
    // Half of a surrogate pair would take a pattern with the flag u back to the same place, for ever.
    start.lastIndex = match.index + (text.codePointAt(match.index)! > 0xffff ? 2 : 1);
  }
  return text.length;
}

export const isDigit = (code: number) => code >= 48 && code <= 57;
export const isLetter = (code: number) => (code >= 97 && code <= 122) || (code >= 65 && code <= 90);
export const isAlphanumeric = (code: number) => isDigit(code) || isLetter(code);
export const isAnyOf = (characters: string): ((code: number) => boolean) => {
  const codes = new Set([...characters].map((character) => character.charCodeAt(0)));
  return (code) => codes.has(code);
};
