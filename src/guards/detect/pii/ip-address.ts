import { isIPv6 } from 'node:net';
import { distanceTo } from '../context.js';
import { isAnyOf, isDigit, openRun } from '../open-run.js';
import { patternRecogniser } from './pattern.js';

const toVersionWord = distanceTo(
  'version|ver.|release|build|upgrade|section|chapter|clause|firmware|v.|sdk|driver',
);
const toAddressWord = distanceTo('ip|address|host|server|client|from|remote|ping|ssh|connect');
const isHexOrColon = isAnyOf('0123456789abcdefABCDEF:.');

/** Dotted quads; not those that a version number or the machine itself would be (RFC 1122: 0/8, 127/8). */
export const ipv4 = patternRecogniser({
  name: 'ipv4',
  categories: ['ip_address'],
  pattern: /(?<![\w.-])(?:\d{1,3}\.){3}\d{1,3}(?![\w-]|\.\d)/g,
  maxSpan: 15,
  lookAhead: 2,
  openFrom: (text, reach) => openRun(text, (code) => isDigit(code) || code === 46, isDigit, reach),
  accept(match, text, start) {
    const parts = match.split('.').map(Number);
    if (parts.some((part) => part > 255) || /(?:^|\.)0\d/.test(match)) return null;
    if (parts[0] === 0 || parts[0] === 127 || parts[0]! >= 240) return null;
    const addressWord = toAddressWord(text, start);
    if (toVersionWord(text, start) < addressWord) return null;
    if (parts.every((part) => part < 10) && addressWord === Number.POSITIVE_INFINITY) return null; // 1.2.3.4 is rather a section
    return { score: 0.85, isValidated: false };
  },
});

export const ipv6 = patternRecogniser({
  name: 'ipv6',
  categories: ['ip_address'],
  pattern: /(?<![\w:.])(?=[0-9A-Fa-f]{0,4}:[0-9A-Fa-f]{0,4}:)[0-9A-Fa-f:]{3,39}(?:\.\d{1,3}){0,3}(?![\w:])/g,
  core: /:[0-9A-Fa-f]{0,4}:/,
  maxSpan: 45,
  lookAhead: 1,
  openFrom: (text, reach) => openRun(text, isHexOrColon, (code) => isHexOrColon(code) && code !== 46, reach),
  accept(match) {
    if (!isIPv6(match) || match.replaceAll(/[:0]/g, '').length < 2) return null; // ::, ::1
    if (match.length < 8 && !/\d/.test(match)) return null; // std::cafe
    return { score: 0.9, isValidated: false };
  },
});
