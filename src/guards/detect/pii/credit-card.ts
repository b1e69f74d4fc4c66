import { distanceTo } from '../context.js';
import { isAnyOf, isDigit, openRun } from '../open-run.js';
import { luhn } from './checksums.js';
import { patternRecogniser } from './pattern.js';

const isSeparator = isAnyOf(' -');

/** Issuer ranges (ISO/IEC 7812) by their first digits, and the lengths in use. */
const issuers: {
  name: string;
  ranges: readonly (readonly [string, string])[];
  lengths: readonly number[];
}[] = [
  { name: 'visa', ranges: [['4', '4']], lengths: [13, 16, 19] },
  {
    name: 'mastercard',
    ranges: [
      ['51', '55'],
      ['2221', '2720'],
    ],
    lengths: [16],
  },
  {
    name: 'amex',
    ranges: [
      ['34', '34'],
      ['37', '37'],
    ],
    lengths: [15],
  },
  {
    name: 'discover',
    ranges: [
      ['6011', '6011'],
      ['644', '649'],
      ['65', '65'],
    ],
    lengths: [16, 19],
  },
  {
    name: 'diners',
    ranges: [
      ['300', '305'],
      ['36', '36'],
      ['38', '39'],
    ],
    lengths: [14, 16],
  },
  { name: 'jcb', ranges: [['3528', '3589']], lengths: [16, 19] },
  { name: 'unionpay', ranges: [['62', '62']], lengths: [16, 17, 18, 19] },
  {
    name: 'maestro',
    ranges: [
      ['5018', '5018'],
      ['5020', '5020'],
      ['5038', '5038'],
      ['6304', '6304'],
      ['6759', '6763'],
    ],
    lengths: [12, 13, 14, 15, 16, 17, 18, 19],
  },
];

const toCardWord = distanceTo(
  'card|visa|mastercard|amex|american express|discover|diners|jcb|credit|debit|cc|pan|payment|pay with|paid with|charge|karte|kreditkarte|carte|tarjeta|carta|cartão|cartao|карт|expires',
);
const toOtherWord = distanceTo(
  'order|tracking|invoice|ticket|reference|ref|serial|transaction|shipment|parcel|timestamp|epoch|imei|isbn|sku|batch|build|commit|request id|trace|bestellnummer|pedido|commande|id:|id |uid|case|no.',
);

export const creditCard = patternRecogniser({
  name: 'credit-card',
  categories: ['credit_card'],
  pattern:
    /(?<![\w.-])(?:\d{4}([ -])\d{4}\1\d{4}\1\d{1,7}|\d{4}([ -])\d{6}\2\d{4,5}|\d{12,19})(?![\w-]|[.,]\d)/g,
  maxSpan: 23,
  lookAhead: 2,
  openFrom: (text, reach) =>
    openRun(text, (code) => isDigit(code) || isSeparator(code) || code === 46 || code === 44, isDigit, reach),
  accept(match, text, start) {
    if (!luhn(match)) return null;
    const digits = match.replace(/[ -]/g, '');
    if (/^(\d)\1+$/.test(digits)) return null;
    const issuer = issuerOf(digits);
    if (issuer === null) return null;
    const isGrouped = match.length > digits.length;
    const cardWord = toCardWord(text, start);
    const otherWord = toOtherWord(text, start);
    const isCard = cardWord < otherWord;
    if (!isCard && (otherWord < cardWord || (!isGrouped && digits.length < 15))) return null;
    return { score: isCard ? 0.99 : isGrouped ? 0.9 : 0.75, isValidated: true, detail: issuer };
  },
});

function issuerOf(digits: string): string | null {
  const issuer = issuers.find(
    ({ ranges, lengths }) =>
      lengths.includes(digits.length) &&
      ranges.some(([low, high]) => {
        const first = digits.slice(0, low.length);
        return first >= low && first <= high;
      }),
  );
  return issuer?.name ?? null;
}
