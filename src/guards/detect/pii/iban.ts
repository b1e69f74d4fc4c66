import { isAlphanumeric, openBegun } from '../open-run.js';
import { mod97 } from './checksums.js';
import { patternRecogniser } from './pattern.js';

/** Characters of an IBAN by country (SWIFT's registry). */
const lengths: Record<string, number> = Object.fromEntries(
  'AD24 AE23 AL28 AT20 AZ28 BA20 BE16 BG22 BH22 BR29 BY28 CH21 CR22 CY28 CZ24 DE22 DK18 DO28 EE20 EG29 ES24 FI18 FO18 FR27 GB22 GE22 GI23 GL18 GR27 GT28 HR21 HU28 IE22 IL23 IQ23 IS26 IT27 JO30 KW30 KZ20 LB28 LC32 LI21 LT20 LU20 LV21 MC27 MD24 ME22 MK19 MR27 MT31 MU30 NL18 NO15 PK24 PL28 PS29 PT25 QA29 RO24 RS22 SA24 SC31 SE24 SI19 SK24 SM27 ST25 SV28 TN24 TR26 UA29 VA22 VG24 XK20'
    .split(' ')
    .map((entry) => [entry.slice(0, 2), Number(entry.slice(2))]),
);
const begin = /(?<![A-Za-z0-9])[A-Za-z]/g;
const begun = /^[A-Za-z](?:[A-Za-z](?:\d(?:\d(?:[ -]?[A-Za-z0-9]){0,30}[ -]?)?)?)?$/;

export const iban = patternRecogniser({
  name: 'iban',
  categories: ['iban'],
  pattern: /(?<![A-Za-z0-9])[A-Za-z]{2}\d{2}(?:[ -]?[A-Za-z0-9]){11,30}/g,
  maxSpan: 66,
  openFrom: (text, reach) => openBegun(text, begin, (candidate) => begun.test(candidate), reach),
  accept(match) {
    const country = match.slice(0, 2).toUpperCase();
    const wanted = lengths[country];
    if (wanted === undefined) return null;
    const end = endOf(match, wanted);
    if (end === null) return null;
    const characters = match.slice(0, end).replace(/[ -]/g, '');
    if (mod97(characters.slice(4) + characters.slice(0, 4)) !== 1) return null;
    return { score: 0.99, isValidated: true, length: end, detail: `iban ${country}` };
  },
});

/** Where `count` letters and digits end, if a word ends there. */
function endOf(match: string, count: number): number | null {
  let seen = 0;
  for (let at = 0; at < match.length; at += 1) {
    if (!isAlphanumeric(match.charCodeAt(at))) continue;
    seen += 1;
    if (seen === count)
      return at + 1 < match.length && isAlphanumeric(match.charCodeAt(at + 1)) ? null : at + 1;
  }
  return null;
}
