import type { Finding, Recogniser } from '../../finding.js';
import { isAlphanumeric, isAnyOf, isDigit, openRun } from '../open-run.js';
import { entropy } from './entropy.js';
import { MAX_JWT_HEADER, MAX_TOKEN, MAX_UNSIGNED, type TokenRule, tokenRules } from './token-rules.js';

const isSpecial = isAnyOf('_-.=/:+%');
const isPart = (code: number) => isAlphanumeric(code) || isSpecial(code);
const JWT = 'eyJ';
const MIN_ENTROPY = 2.5; // bits a character; "sk-xxxxxxxxxxxxxxxxxxxx" is a placeholder

/** Longer prefixes first: "sk-ant-" is no "sk-". Searched by the first two characters. */
const rules = [...tokenRules]
  .sort((a, b) => b.prefix.length - a.prefix.length)
  .map((rule) => ({ rule, rest: new RegExp(`(?:${rule.rest.source})(?![A-Za-z0-9])`, 'y') }));
/** By prefix: whose tokens may begin with it. */
const rulesOf = new Map(
  rules.map(({ rule: { prefix } }) => [prefix, rules.filter(({ rule }) => prefix.startsWith(rule.prefix))]),
);
const prefixes = new RegExp(
  `(?<![A-Za-z0-9_])(?:${rules.map(({ rule }) => rule.prefix.replace(/[./]/g, '\\$&')).join('|')})`,
  'g',
);

/** Keys and tokens by the mark of who issues them. */
export const tokens: Recogniser = {
  name: 'tokens',
  categories: ['api_key', 'cloud_token', 'jwt'],
  maxSpan: MAX_TOKEN,
  lookAhead: 1,
  find(text) {
    const findings: Finding[] = [];
    let done = 0;
    let dot = -1; // the next one, where a JWT's header would end
    let digit = -1; // the next one; other tokens have at least one
    for (const { 0: prefix, index } of text.matchAll(prefixes)) {
      if (index < done) continue;
      if (prefix === JWT) {
        if (dot < index && dot !== text.length) dot = indexOrEnd(text, '.', index);
        if (dot > index + prefix.length + MAX_JWT_HEADER) continue;
      } else {
        if (digit < index) digit = nextDigit(text, index);
        if (digit >= index + MAX_UNSIGNED) continue;
      }
      const finding = tokenAt(text, index, prefix);
      if (finding === null) continue;
      findings.push(finding);
      done = finding.end;
    }
    return findings;
  },
  openFrom: (text) => openRun(text, isPart, isAlphanumeric, MAX_TOKEN + 1),
};

function tokenAt(text: string, start: number, prefix: string): Finding | null {
  for (const { rule, rest } of rulesOf.get(prefix)!) {
    rest.lastIndex = start + rule.prefix.length;
    const match = rest.exec(text)?.[0];
    if (match === undefined || !isRandom(match, rule)) continue;
    const end = rest.lastIndex;
    return {
      start,
      end,
      category: rule.category,
      score: 0.97,
      isValidated: rule.category === 'jwt',
      detail: rule.issuer,
    };
  }
  return null;
}

function indexOrEnd(text: string, sign: string, from: number): number {
  const at = text.indexOf(sign, from);
  return at === -1 ? text.length : at;
}

function nextDigit(text: string, from: number): number {
  let at = from;
  while (at < text.length && !isDigit(text.charCodeAt(at))) at += 1;
  return at;
}

function isRandom(match: string, { issuer }: TokenRule): boolean {
  if (issuer === 'jwt') return true;
  return /\d/.test(match) && entropy(match) >= MIN_ENTROPY;
}
