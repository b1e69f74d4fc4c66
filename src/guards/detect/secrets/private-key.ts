import type { Finding, Recogniser } from '../../finding.js';

const MAX_KEY = 16_384; // RSA of 16,384 bits takes 12,800
const BEGIN = '-----BEGIN ';
const header = /-----BEGIN (?:[A-Z0-9]{1,12} ){0,3}PRIVATE KEY(?: BLOCK)?-----/y;
const footer = /-----END (?:[A-Z0-9]{1,12} ){0,3}PRIVATE KEY(?: BLOCK)?-----/g;
const MAX_HEADER = 80;

/** PEM blocks (RFC 7468) of private keys. One without an end reaches as far as a key can. */
export const privateKeys: Recogniser = {
  name: 'private-key',
  categories: ['private_key'],
  maxSpan: MAX_KEY,
  lookAhead: 0,
  find(text) {
    const findings: Finding[] = [];
    for (let start = text.indexOf(BEGIN); start !== -1; ) {
      header.lastIndex = start;
      const isKey = header.test(text);
      const end = isKey ? endOf(text, start) : start + BEGIN.length;
      if (isKey)
        findings.push({
          start,
          end,
          category: 'private_key',
          score: 0.99,
          isValidated: false,
          detail: 'pem',
        });
      start = text.indexOf(BEGIN, end);
    }
    return findings;
  },
  openFrom(text) {
    const floor = Math.max(0, text.length - MAX_KEY);
    for (const { start, end } of this.find(text)) if (end === text.length && start >= floor) return start;
    return headerFrom(text);
  },
};

function endOf(text: string, start: number): number {
  footer.lastIndex = start;
  const most = Math.min(text.length, start + MAX_KEY);
  const match = footer.exec(text.slice(0, most));
  return match === null ? most : match.index + match[0].length;
}

/** A header that isn't complete yet. */
function headerFrom(text: string): number {
  const tail = Math.max(0, text.length - MAX_HEADER);
  const begun = text.lastIndexOf(BEGIN);
  if (begun >= tail && !text.includes('-----', begun + BEGIN.length)) return begun;
  for (let length = Math.min(BEGIN.length - 1, text.length); length > 0; length -= 1)
    if (text.endsWith(BEGIN.slice(0, length))) return text.length - length;
  return text.length;
}
