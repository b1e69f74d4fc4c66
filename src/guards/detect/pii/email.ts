import type { Recogniser } from '../../finding.js';
import { isAlphanumeric, isAnyOf, openRun } from '../open-run.js';

const MAX_LOCAL = 64; // RFC 5321, 4.5.3.1
const MAX_DOMAIN = 255;
const isLocalSpecial = isAnyOf("._%+-'");
const isDomainSpecial = isAnyOf('.-');
const isWide = (code: number) => code >= 0xc0 && code < 0xd800; // letters beyond ASCII: RFC 6531
const isLocal = (code: number) => isAlphanumeric(code) || isLocalSpecial(code) || isWide(code);
const isDomain = (code: number) => isAlphanumeric(code) || isDomainSpecial(code) || isWide(code);
const isAt = isAnyOf('@');

/** Found from each @ outwards; linear, since both sides are bounded. */
export const email: Recogniser = {
  name: 'email',
  categories: ['email'],
  maxSpan: MAX_LOCAL + 1 + MAX_DOMAIN,
  lookAhead: 1,
  find(text) {
    const findings = [];
    let floor = 0;
    for (let at = text.indexOf('@'); at !== -1; at = text.indexOf('@', at + 1)) {
      const start = localStart(text, at, floor);
      const end = start === at ? at : domainEnd(text, at + 1);
      if (end <= at + 1 || isInUrl(text, start)) continue;
      findings.push({ start, end, category: 'email', score: 0.95, isValidated: false, detail: 'email' });
      floor = end;
    }
    return findings;
  },
  openFrom: (text) =>
    openRun(
      text,
      (code) => isLocal(code) || isAt(code),
      (code) => isLocal(code),
      MAX_LOCAL + MAX_DOMAIN + 2,
    ),
};

function localStart(text: string, at: number, floor: number): number {
  let start = at;
  const least = Math.max(floor, at - MAX_LOCAL);
  while (start > least && isLocal(text.charCodeAt(start - 1))) start -= 1;
  while (start < at && isLocalSpecial(text.charCodeAt(start))) start += 1;
  return text[at - 1] === '.' ? at : start;
}

/** After `scheme://user:` stands a password. */
function isInUrl(text: string, start: number): boolean {
  return text[start - 1] === ':' && /:\/\/[^\s/@]{0,64}:$/.test(text.slice(Math.max(0, start - 72), start));
}

/** The end of the domain that begins at `start`, or `start`: labels of 1 to 63, the last one of letters. */
function domainEnd(text: string, start: number): number {
  let end = start;
  const most = Math.min(text.length, start + MAX_DOMAIN);
  while (end < most && isDomain(text.charCodeAt(end))) end += 1;
  const labels = text.slice(start, end).split('.');
  let accepted = 0;
  let length = 0;
  for (const [index, label] of labels.entries()) {
    if (!/^[^-](?:.{0,61}[^-])?$/.test(label)) break;
    length += label.length + (index === 0 ? 0 : 1);
    if (index > 0 && /^(?:xn--[a-z0-9-]+|[^\d_-]{2,24})$/i.test(label)) accepted = length;
  }
  return start + accepted;
}
