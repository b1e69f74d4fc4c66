import type { Finding, Recogniser } from '../../finding.js';
import { isDigit, openBegun } from '../open-run.js';

const WORD = "[\\p{Lu}][\\p{L}'’.-]{0,24}";
const LINK =
  '(?:de|del|della|delle|di|da|do|dos|das|du|des|la|le|les|los|las|of|the|and|den|der|dem|am|im|van|von|y|e)';
const NUMBER = '\\d{1,5}(?:[-/]\\d{1,5})?[A-Za-z]?';
const english =
  'Street|St|Avenue|Ave|Road|Rd|Boulevard|Blvd|Lane|Ln|Drive|Dr|Court|Ct|Place|Pl|Square|Sq|Terrace|Ter|Way|Parkway|Pkwy|Highway|Hwy|Circle|Cir|Crescent|Close|Row|Mews|Gardens|Grove|Hill|Trail|Loop|Alley|Plaza|Quay|Walk';
const romance =
  '[Rr]ue|[Aa]venue|[Bb]oulevard|[Cc]hemin|[Ii]mpasse|[Qq]uai|[Pp]lace|[Aa]llée|[Cc]ours|[Cc]alle|C/|[Aa]venida|[Aa]vda\\.?|[Pp]aseo|[Pp]laza|[Cc]amino|[Vv]ia|[Vv]iale|[Pp]iazza|[Cc]orso|[Ll]argo|[Rr]ua|[Tt]ravessa|[Pp]raça|[Aa]lameda|Av\\.';
const germanic =
  '(?:straße|strasse|str\\.|weg|platz|allee|gasse|ring|damm|ufer|straat|laan|plein|gracht|vägen|gatan|gade|vej)';
const SECOND = '(?:,? {0,2}(?:Apt|Apartment|Suite|Ste|Unit|Flat|Floor|Room|#)\\.? ?#?[A-Za-z0-9-]{1,6})?';
const CITY = `(?:${WORD}(?: ${WORD}){0,2})`;
const AFTER = `(?:,? {0,2}${CITY},? (?:[A-Z]{2} \\d{5}(?:-\\d{4})?|[A-Z]{1,2}\\d[A-Z0-9]? ?\\d[A-Z]{2}|\\d{4,5})|,? {0,2}(?:\\d{4,5}|\\d{4} [A-Z]{2}|\\d{5}-\\d{3}),? ${CITY})?`;
const shapes = [
  `${NUMBER} (?:[NSEW]\\.? )?(?:(?:${WORD}|\\d{1,3}(?:st|nd|rd|th)) ){1,4}(?:${english})\\b\\.?${SECOND}${AFTER}`,
  `${NUMBER},? (?:bis |ter )?(?:${romance})(?: (?:${LINK}|${WORD}|\\d{1,2})){1,5}${AFTER}`,
  `(?:${romance}) (?:(?:${LINK}|${WORD}|\\d{1,2}) ){0,4}${WORD},? (?:n\\.?º? ?|nº |n° )?${NUMBER}${AFTER}`,
  `\\p{Lu}[\\p{L}-]{1,24}${germanic} ${NUMBER}${AFTER}`,
  `P\\.? ?O\\.? Box \\d{1,6}`,
];
/** The least of each shape that tells it: quicker to look for. */
const hint = new RegExp(
  [
    ` (?:${english})\\b(?<=[\\p{Lu}\\d][\\p{L}'’.-]{0,24} (?:${english}))`,
    `(?:${romance}) (?:(?<=\\d[A-Za-z]?,? (?:bis |ter )?(?:${romance}) )|(?:(?:${LINK}|${WORD}|\\d{1,2}) ){0,4}${WORD},? (?:n\\.?º? ?|nº |n° )?\\d)`,
    `${germanic} \\d`,
    'Box \\d',
  ].join('|'),
  'u',
);
const address = new RegExp(`(?<![\\p{L}\\p{N}$€£.,/-])(?:${shapes.join('|')})(?![\\p{L}\\p{N}])`, 'gu');

/** The start of any shape, and nothing after it that an address could not go on with. */
const opening = `(?:\\d{1,5}(?:[-/]\\d{0,5})?[A-Za-z]?|${romance}|\\p{Lu}[\\p{L}./-]{0,30}|P\\.? ?O?\\.?)`;
const begun = new RegExp(
  `^${opening}(?:[ ,.#]{1,3}(?:[\\p{Lu}\\d#n][\\p{L}\\d'’.º°/-]{0,30}|${LINK}|bis|ter|${romance})){0,14}(?:[ ,.#]{1,3}\\p{L}{0,9})?[ ,.#]{0,3}$`,
  'u',
);
const begin = /(?<![\p{L}\p{N}])[\p{L}\d]/gu;
const typeBeginnings = new Set(
  'rue avenue boulevard chemin impasse quai place allée cours calle avenida avda paseo plaza camino via viale piazza corso largo rua travessa praça alameda'
    .split(' ')
    .flatMap((type) => [...type].map((_, at) => type.slice(0, at + 1))),
);
const MAX_SPAN = 140;
const NEAR = 2 * MAX_SPAN;

/** Street lines of several countries by their form, with what follows of suite, postal code and city. */
export const streetAddress: Recogniser = {
  name: 'street-address',
  categories: ['street_address'],
  maxSpan: MAX_SPAN,
  lookAhead: 1,
  find(text) {
    const findings: Finding[] = [];
    if (!mayHoldAddress(text)) return findings;
    for (const { 0: match, index } of text.matchAll(address)) {
      if (match.length > MAX_SPAN) continue;
      const hasPostalCode = (match.match(/\d+/g)?.length ?? 0) > 1;
      findings.push({
        start: index,
        end: index + match.length,
        category: 'street_address',
        score: hasPostalCode ? 0.85 : 0.65,
        isValidated: false,
        detail: 'street-address',
      });
    }
    return findings;
  },
  openFrom: (text) =>
    openBegun(
      text,
      begin,
      (candidate) => begun.test(candidate) || typeBeginnings.has(candidate),
      MAX_SPAN + 1,
    ),
};

/** Whether what tells an address stands near a digit, as it does in each of them: quicker than a look at all of the text. */
function mayHoldAddress(text: string): boolean {
  let from = 0;
  let to = 0; // of what is near the digits so far
  for (let at = 0; at < text.length; at += 1) {
    if (!isDigit(text.charCodeAt(at))) continue;
    if (at - NEAR > to) {
      if (hint.test(text.slice(from, to))) return true;
      from = at - NEAR;
    }
    to = at + NEAR;
  }
  return to > 0 && hint.test(text.slice(from, to));
}
