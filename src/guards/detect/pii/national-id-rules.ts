import { isDate, luhn, mod11And10, mod97, verhoeff, weighted } from './checksums.js';

/** How a country writes a number for its people, and what makes one consistent. */
export interface NationalIdRule {
  category: string;
  /** As in a text, with its separators; repetitions bounded. Named by country code first. */
  shape: RegExp;
  /** Digits and letters only, upper case. */
  check(characters: string, written: string): boolean;
  /** True: shape and check are so rare in other text that no word is needed; 'grouped': where separators are written; false: a word is needed. */
  standsAlone: boolean | 'grouped';
  /** Words before it, lower case, with | between. */
  words: string;
}

const DNI_LETTERS = 'TRWAGMYFPDXBNJZSQVHLCKE';
const HETU_LETTERS = '0123456789ABCDEFHJKLMNPRSTUVWXY';
const BSN_WEIGHTS = [9, 8, 7, 6, 5, 4, 3, 2, -1];
const PESEL_WEIGHTS = [1, 3, 7, 9, 1, 3, 7, 9, 1, 3, 1];
const TFN_WEIGHTS = [1, 4, 3, 7, 5, 8, 6, 9, 10];
const CHINA_WEIGHTS = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2];
const KOREA_WEIGHTS = [2, 3, 4, 5, 6, 7, 8, 9, 2, 3, 4, 5];
const NRIC_WEIGHTS = [2, 7, 6, 5, 4, 3, 2];

const number = (text: string, from: number, to: number) => Number(text.slice(from, to));

export const nationalIdRules: readonly NationalIdRule[] = [
  {
    category: 'us_ssn',
    shape: /\d{3}([- ])\d{2}\1\d{4}|\d{9}/,
    check: (id) =>
      !/^(?:000|666|9)|^...00|0000$/.test(id) &&
      !/^(\d)\1+$/.test(id) &&
      id !== '123456789' &&
      id !== '078051120',
    standsAlone: 'grouped',
    words: 'ssn|social security|social-security|social sec|ss#|taxpayer|social is|seguro social',
  },
  {
    category: 'us_itin',
    shape: /9\d{2}([- ])[5-9]\d\1\d{4}/,
    check: () => true,
    standsAlone: false,
    words: 'itin|taxpayer|tax id|individual tax',
  },
  {
    category: 'uk_nhs',
    shape: /\d{3}[ -]?\d{3}[ -]?\d{4}/,
    check: (id) => (11 - (weighted(id, [10, 9, 8, 7, 6, 5, 4, 3, 2]) % 11)) % 11 === Number(id[9]),
    standsAlone: false,
    words: 'nhs|national health|patient number|health number',
  },
  {
    category: 'uk_nino',
    shape: /[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z] ?\d{2} ?\d{2} ?\d{2} ?[A-D]/i,
    check: (id) => !/^(?:BG|GB|NK|KN|TN|NT|ZZ)/.test(id),
    standsAlone: true,
    words: '',
  },
  {
    category: 'es_dni',
    shape: /(?:\d{8}|\d{2}\.\d{3}\.\d{3})[- ]?[A-Z]/i,
    check: (id) => DNI_LETTERS[number(id, 0, 8) % 23] === id[8],
    standsAlone: true,
    words: '',
  },
  {
    category: 'es_nie',
    shape: /[XYZ][- ]?\d{7}[- ]?[A-Z]/i,
    check: (id) => DNI_LETTERS[Number(`${'XYZ'.indexOf(id[0]!)}${id.slice(1, 8)}`) % 23] === id[8],
    standsAlone: true,
    words: '',
  },
  {
    category: 'fr_nir',
    shape: /[12] ?\d{2} ?(?:0[1-9]|1[0-2]|[2-9]\d) ?(?:\d{2}|2[AB]) ?\d{3} ?\d{3} ?\d{2}/i,
    check: (id) => {
      const digits = id.replace('2A', '19').replace('2B', '18');
      return 97 - mod97(digits.slice(0, 13)) === number(digits, 13, 15);
    },
    standsAlone: true,
    words: '',
  },
  {
    category: 'de_tax_id',
    shape: /[1-9]\d(?: ?\d{3}){3}/,
    check: (id) => mod11And10(id) && hasOneRepeatedDigit(id.slice(0, 10)),
    standsAlone: false,
    words: 'steuer-id|steuer|idnr|tax id|identifikationsnummer|tin',
  },
  {
    category: 'it_fiscal_code',
    shape: /[A-Z]{6}\d{2}[A-EHLMPR-T]\d{2}[A-Z]\d{3}[A-Z]/i,
    check: fiscalCode,
    standsAlone: true,
    words: '',
  },
  {
    category: 'nl_bsn',
    shape: /\d{9}|\d{3}\.\d{3}\.\d{3}|\d{4}\.\d{2}\.\d{3}/,
    check: (id) => weighted(id, BSN_WEIGHTS) % 11 === 0 && id !== '000000000',
    standsAlone: false,
    words: 'bsn|burgerservicenummer|sofinummer|citizen service',
  },
  {
    category: 'be_nrn',
    shape: /\d{2}\.\d{2}\.\d{2}-\d{3}\.\d{2}|\d{11}/,
    check: (id) =>
      [id.slice(0, 9), `2${id.slice(0, 9)}`].some((base) => 97 - (Number(base) % 97) === number(id, 9, 11)),
    standsAlone: 'grouped',
    words: 'rijksregister|registre national|national number|nationaal nummer|numéro national',
  },
  {
    category: 'pl_pesel',
    shape: /\d{11}/,
    check: (id) =>
      weighted(id, PESEL_WEIGHTS) % 10 === 0 &&
      isDate(2000 + number(id, 0, 2), number(id, 2, 4) % 20, number(id, 4, 6)),
    standsAlone: false,
    words: 'pesel',
  },
  {
    category: 'se_personnummer',
    shape: /(?:19|20)?\d{6}[-+]?\d{4}/,
    check: (id) =>
      luhn(id.slice(-10)) &&
      isDate(2000, number(id, id.length - 8, id.length - 6), number(id, id.length - 6, id.length - 4)),
    standsAlone: false,
    words: 'personnummer|personal identity|swedish id|pnr|samordningsnummer',
  },
  {
    category: 'fi_hetu',
    shape: /\d{6}[-+A-FU-Y]\d{3}[0-9A-FHJ-NPR-Y]/i,
    check: (id, written) =>
      isDate(2000, number(id, 2, 4), number(id, 0, 2)) &&
      HETU_LETTERS[Number(written.slice(0, 6) + written.slice(7, 10)) % 31] === written.at(-1)!.toUpperCase(),
    standsAlone: true,
    words: '',
  },
  {
    category: 'br_cpf',
    shape: /\d{3}\.\d{3}\.\d{3}-\d{2}|\d{11}/,
    check: (id) =>
      !/^(\d)\1+$/.test(id) &&
      [9, 10].every((length) => {
        const sum = [...id.slice(0, length)].reduce(
          (all, digit, at) => all + Number(digit) * (length + 1 - at),
          0,
        );
        return ((sum * 10) % 11) % 10 === Number(id[length]);
      }),
    standsAlone: 'grouped',
    words: 'cpf|cadastro de pessoa',
  },
  {
    category: 'ca_sin',
    shape: /\d{3}([- ]?)\d{3}\1\d{3}/,
    check: (id) => luhn(id) && !/^[08]/.test(id),
    standsAlone: false,
    words: 'sin|social insurance|assurance sociale',
  },
  {
    category: 'au_tfn',
    shape: /\d{3} ?\d{3} ?\d{3}/,
    check: (id) => weighted(id, TFN_WEIGHTS) % 11 === 0,
    standsAlone: false,
    words: 'tfn|tax file',
  },
  {
    category: 'in_aadhaar',
    shape: /[2-9]\d{3}([- ]?)\d{4}\1\d{4}/,
    check: verhoeff,
    standsAlone: false,
    words: 'aadhaar|aadhar|uidai|आधार',
  },
  {
    category: 'in_pan',
    shape: /[A-Z]{3}[ABCFGHJLPT][A-Z]\d{4}[A-Z]/,
    check: () => true,
    standsAlone: true,
    words: '',
  },
  {
    category: 'cn_resident_id',
    shape: /[1-9]\d{5}(?:19|20)\d{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])\d{3}[0-9X]/i,
    check: (id) => '10X98765432'[weighted(id, CHINA_WEIGHTS) % 11] === id[17],
    standsAlone: true,
    words: '',
  },
  {
    category: 'kr_rrn',
    shape: /\d{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])-?[1-8]\d{6}/,
    check: (id) => (11 - (weighted(id, KOREA_WEIGHTS) % 11)) % 10 === Number(id[12]),
    standsAlone: 'grouped',
    words: '주민등록|resident registration|rrn',
  },
  {
    category: 'sg_nric',
    shape: /[STFG]\d{7}[A-Z]/i,
    check: (id) => {
      const offset = id[0] === 'T' || id[0] === 'G' ? 4 : 0;
      const rest = (weighted(id.slice(1, 8), NRIC_WEIGHTS) + offset) % 11;
      return (id[0] === 'S' || id[0] === 'T' ? 'JZIHGFEDCBA' : 'XWUTRQPNMLK')[rest] === id[8];
    },
    standsAlone: true,
    words: '',
  },
  {
    category: 'tr_tckn',
    shape: /[1-9]\d{10}/,
    check: (id) => {
      const [odd, even] = [0, 1].map((from) =>
        weighted(id, from === 0 ? [1, 0, 1, 0, 1, 0, 1, 0, 1] : [0, 1, 0, 1, 0, 1, 0, 1]),
      );
      const tenth = (((odd! * 7 - even!) % 10) + 10) % 10;
      return tenth === Number(id[9]) && weighted(id, new Array(10).fill(1)) % 10 === Number(id[10]);
    },
    standsAlone: false,
    words: 'tckn|tc kimlik|t.c. kimlik|kimlik no|turkish id',
  },
  {
    category: 'za_id',
    shape: /\d{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])[ ]?\d{4}[ ]?[01]\d{2}/,
    check: luhn,
    standsAlone: false,
    words: 'south african id|rsa id|sa id|id number|identity number',
  },
];

/** Among the first ten, one digit comes twice or three times and the others once at most (since 2016). */
function hasOneRepeatedDigit(digits: string): boolean {
  const counts = new Map<string, number>();
  for (const digit of digits) counts.set(digit, (counts.get(digit) ?? 0) + 1);
  const repeated = [...counts.values()].filter((count) => count > 1);
  return repeated.length === 1 && repeated[0]! <= 3;
}

const FISCAL_ODD_DIGITS = [1, 0, 5, 7, 9, 13, 15, 17, 19, 21];
const FISCAL_ODD_LETTERS = [
  1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24, 23,
];

function fiscalCode(id: string): boolean {
  let sum = 0;
  for (let at = 0; at < 15; at += 1) {
    const character = id[at]!;
    const isNumber = character <= '9';
    const value = isNumber ? Number(character) : character.charCodeAt(0) - 65;
    sum += at % 2 === 1 ? value : (isNumber ? FISCAL_ODD_DIGITS : FISCAL_ODD_LETTERS)[value]!;
  }
  return String.fromCharCode(65 + (sum % 26)) === id[15];
}
