import { type Random, randomInteger } from '../workload/random.js';
import { pick } from './seeds.js';

/** Values by their placeholder, check digits true. Written apart from what recognises them, so that one's mistake shows in the other. */
export type ValueMaker = (random: Random) => string;

const digits = (random: Random, count: number) =>
  Array.from({ length: count }, () => Math.floor(random() * 10)).join('');
const letters = (random: Random, count: number, alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ') =>
  Array.from({ length: count }, () => pick([...alphabet], random)).join('');
const base62 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';
const hexDigits = '0123456789abcdef';
const two = (value: number) => String(value).padStart(2, '0');
const weightedSum = (text: string, weights: readonly number[]) =>
  weights.reduce((sum, weight, index) => sum + weight * Number(text[index]), 0);

function withLuhn(body: string): string {
  const last = [...Array(10).keys()].find((check) => {
    const doubled = [...`${body}${check}`]
      .reverse()
      .map((digit, index) => Number(digit) * (index % 2 === 1 ? 2 : 1));
    return doubled.reduce((sum, value) => sum + Math.floor(value / 10) + (value % 10), 0) % 10 === 0;
  });
  return `${body}${last}`;
}

/** Tries bodies until one has a check digit. */
function until(make: () => string | null): string {
  for (;;) {
    const value = make();
    if (value !== null) return value;
  }
}

const emailNames = [
  'bob',
  'ann.lee',
  'j.smith42',
  'maria_lopez',
  'info',
  'hr-team',
  'o.brien',
  'li.wei',
  'x',
  'kate+news',
  'Peter.Parker',
  'sales99',
];
const emailHosts = [
  'example.com',
  'mail.example.org',
  'corp.example.co.uk',
  'uni-berlin.example',
  'my-shop.io',
  'firma.de',
  'correo.es',
  'ex4mple.net',
];
const streetNames = [
  'Maple',
  'Old Mill',
  'Baker',
  'Queen Anne',
  'King',
  'Sunset',
  'Church',
  'Lincoln',
  'Harbour View',
  'Elm',
];
const cities = ['Springfield', 'Boston', 'London', 'Leeds', 'Austin', 'San Diego'];

const cards: ((random: Random) => string)[] = [
  (random) => withLuhn(`4${digits(random, 14)}`),
  (random) => withLuhn(`5${randomInteger(random, 1, 5)}${digits(random, 13)}`),
  (random) => withLuhn(`3${pick(['4', '7'], random)}${digits(random, 12)}`),
  (random) => withLuhn(`6011${digits(random, 11)}`),
  (random) => withLuhn(`35${randomInteger(random, 28, 89)}${digits(random, 11)}`),
  (random) => withLuhn(`22${randomInteger(random, 30, 69)}${digits(random, 11)}`),
];

function card(random: Random): string {
  const number = pick(cards, random)(random);
  const separator = pick(['', ' ', '-'], random);
  if (number.length === 15)
    return [number.slice(0, 4), number.slice(4, 10), number.slice(10)].join(separator);
  return number.match(/.{4}/g)!.join(separator);
}

const ibanBodies: Record<string, (random: Random) => string> = {
  DE: (random) => digits(random, 18),
  FR: (random) => `${digits(random, 20)}${letters(random, 1)}${digits(random, 2)}`,
  GB: (random) => `${letters(random, 4)}${digits(random, 14)}`,
  ES: (random) => digits(random, 20),
  IT: (random) => `${letters(random, 1)}${digits(random, 22)}`,
  NL: (random) => `${letters(random, 4)}${digits(random, 10)}`,
  PL: (random) => digits(random, 24),
  CH: (random) => digits(random, 17),
  NO: (random) => digits(random, 11),
};

function iban(random: Random): string {
  const country = pick(Object.keys(ibanBodies), random);
  const body = ibanBodies[country]!(random);
  const numeric = [...`${body}${country}00`].map((character) => Number.parseInt(character, 36)).join('');
  const value = `${country}${two(98 - Number(BigInt(numeric) % 97n))}${body}`;
  return random() < 0.5 ? value : value.match(/.{1,4}/g)!.join(' ');
}

function date(random: Random): [year: number, month: number, day: number] {
  return [randomInteger(random, 1930, 2005), randomInteger(random, 1, 12), randomInteger(random, 1, 28)];
}

const monthNames = [
  'January',
  'February',
  'March',
  'April',
  'May',
  'June',
  'July',
  'August',
  'September',
  'October',
  'November',
  'December',
];
const DNI = 'TRWAGMYFPDXBNJZSQVHLCKE';

export const makers: Record<string, ValueMaker> = {
  EMAIL: (random) => `${pick(emailNames, random)}@${pick(emailHosts, random)}`,
  PHONE: (random) => {
    const area = pick(['212', '415', '312', '617', '206', '512'], random);
    const rest = `${randomInteger(random, 201, 989)}`.replace(/11$/, '12');
    const line = digits(random, 4);
    return pick(
      [
        `(${area}) ${rest}-${line}`,
        `${area}-${rest}-${line}`,
        `${area}.${rest}.${line}`,
        `${area} ${rest} ${line}`,
      ],
      random,
    );
  },
  PHONE_INTL: (random) =>
    pick(
      [
        () => `+49 30 ${randomInteger(random, 2, 8)}${digits(random, 6)}`,
        () => `+44 20 7${digits(random, 3)} ${digits(random, 4)}`,
        () =>
          `+33 6 ${two(randomInteger(random, 10, 79))} ${two(randomInteger(random, 0, 99))} ${two(randomInteger(random, 0, 99))} ${two(randomInteger(random, 0, 99))}`,
        () => `+34 6${digits(random, 2)} ${digits(random, 3)} ${digits(random, 3)}`,
        () => `+1 415 ${randomInteger(random, 220, 989)} ${digits(random, 4)}`,
        () => `+91 98${digits(random, 3)} ${digits(random, 5)}`,
        () => `+55 11 9${randomInteger(random, 6, 9)}${digits(random, 3)}-${digits(random, 4)}`,
      ],
      random,
    )(),
  STREET: (random) =>
    pick(
      [
        () =>
          `${randomInteger(random, 1, 990)} ${pick(streetNames, random)} ${pick(['Street', 'Ave', 'Road', 'Lane', 'Blvd', 'Drive'], random)}`,
        () =>
          `${randomInteger(random, 1, 990)} ${pick(streetNames, random)} St, ${pick(cities, random)}, ${pick(['MA', 'TX', 'CA'], random)} ${randomInteger(random, 10000, 99999)}`,
        () =>
          `${randomInteger(random, 1, 200)} ${pick(streetNames, random)} Road, ${pick(['London', 'Leeds'], random)} ${letters(random, 2, 'ENSW')}${randomInteger(random, 1, 9)} ${randomInteger(random, 1, 9)}${letters(random, 2)}`,
        () =>
          `${pick(['Haupt', 'Garten', 'Schiller', 'Bahnhof'], random)}straße ${randomInteger(random, 1, 120)}, ${randomInteger(random, 10115, 99998)} ${pick(['Berlin', 'Köln', 'München'], random)}`,
        () =>
          `${randomInteger(random, 1, 90)} rue de ${pick(['la Paix', 'Rivoli', 'Lyon'], random)}, 7500${randomInteger(random, 1, 9)} Paris`,
        () =>
          `Calle ${pick(['Mayor', 'Alcalá', 'Goya'], random)} ${randomInteger(random, 1, 150)}, 280${randomInteger(random, 10, 50)} Madrid`,
      ],
      random,
    )(),
  DOB: (random) => {
    const [year, month, day] = date(random);
    return pick(
      [
        `${year}-${two(month)}-${two(day)}`,
        `${two(month)}/${two(day)}/${year}`,
        `${monthNames[month - 1]} ${day}, ${year}`,
        `${day} ${monthNames[month - 1]} ${year}`,
      ],
      random,
    );
  },
  DOB_DE: (random) => {
    const [year, month, day] = date(random);
    return `${two(day)}.${two(month)}.${year}`;
  },
  SSN: (random) =>
    `${randomInteger(random, 100, 665)}-${two(randomInteger(random, 1, 99))}-${randomInteger(random, 1000, 9999)}`,
  CARD: card,
  IBAN: iban,
  IP: (random) =>
    [randomInteger(random, 11, 223), ...Array.from({ length: 3 }, () => randomInteger(random, 10, 254))]
      .join('.')
      .replace(/^127/, '126'),
  IP6: (random) =>
    `2001:db8:${letters(random, 3, hexDigits)}::${randomInteger(random, 1, 9)}${letters(random, 2, hexDigits)}:${letters(random, 4, '123456789abcdef')}`,
  NHS: (random) =>
    until(() => {
      const body = digits(random, 9);
      const check = (11 - (weightedSum(body, [10, 9, 8, 7, 6, 5, 4, 3, 2]) % 11)) % 11;
      return check === 10 ? null : `${body.slice(0, 3)} ${body.slice(3, 6)} ${body.slice(6)}${check}`;
    }),
  NINO: (random) =>
    `${pick(['AB', 'CE', 'JK', 'SP', 'WM'], random)} ${digits(random, 2)} ${digits(random, 2)} ${digits(random, 2)} ${pick(['A', 'B', 'C', 'D'], random)}`,
  DNI: (random) => {
    const body = digits(random, 8);
    return `${body}${DNI[Number(body) % 23]}`;
  },
  NIE: (random) => {
    const first = randomInteger(random, 0, 2);
    const body = digits(random, 7);
    return `${'XYZ'[first]}${body}${DNI[Number(`${first}${body}`) % 23]}`;
  },
  STEUER: (random) => {
    const order = [...'0123456789'].sort(() => random() - 0.5);
    if (order[0] === '0') order.push(order.shift()!);
    order[randomInteger(random, 1, 8)] = order[9]!; // one digit twice, one never
    const body = order.slice(0, 10).join('');
    let product = 10;
    for (const digit of body) {
      const sum = (Number(digit) + product) % 10;
      product = ((sum === 0 ? 10 : sum) * 2) % 11;
    }
    return `${body}${(11 - product) % 10}`;
  },
  BSN: (random) =>
    until(() => {
      const body = `${randomInteger(random, 1, 9)}${digits(random, 7)}`;
      const check = weightedSum(body, [9, 8, 7, 6, 5, 4, 3, 2]) % 11;
      return check === 10 ? null : `${body}${check}`;
    }),
  NIR: (random) => {
    const body = `${randomInteger(random, 1, 2)}${digits(random, 2)}${two(randomInteger(random, 1, 12))}${randomInteger(random, 10, 95)}${digits(random, 6)}`;
    return `${body}${two(97 - Number(BigInt(body) % 97n))}`;
  },
  PESEL: (random) => {
    const [year, month, day] = date(random);
    const body = `${two(year % 100)}${two(year >= 2000 ? month + 20 : month)}${two(day)}${digits(random, 4)}`;
    return `${body}${(10 - (weightedSum(body, [1, 3, 7, 9, 1, 3, 7, 9, 1, 3]) % 10)) % 10}`;
  },
  CPF: (random) => {
    let body = digits(random, 9);
    for (let round = 0; round < 2; round += 1) {
      const rest =
        [...body].reduce((sum, digit, index) => sum + Number(digit) * (body.length + 1 - index), 0) % 11;
      body += rest < 2 ? 0 : 11 - rest;
    }
    return `${body.slice(0, 3)}.${body.slice(3, 6)}.${body.slice(6, 9)}-${body.slice(9)}`;
  },
  AADHAAR: (random) => pick(['2341 2341 2346', '4991 1866 5246', '3675 9834 6015'], random),
  HETU: (random) => {
    const [year, month, day] = date(random);
    const born = `${two(day)}${two(month)}${two(year % 100)}`;
    const serial = `${randomInteger(random, 100, 899)}`;
    return `${born}${year >= 2000 ? 'A' : '-'}${serial}${'0123456789ABCDEFHJKLMNPRSTUVWXY'[Number(born + serial) % 31]}`;
  },
  CNID: (random) => {
    const [year, month, day] = date(random);
    const body = `110101${year}${two(month)}${two(day)}${digits(random, 3)}`;
    const rest =
      [...body].reduce((sum, digit, index) => sum + Number(digit) * (2 ** (17 - index) % 11), 0) % 11;
    return `${body}${'10X98765432'[rest]}`;
  },
  SIN: (random) =>
    withLuhn(`${randomInteger(random, 1, 7)}${digits(random, 7)}`)
      .match(/.{3}/g)!
      .join(' '),
  PNR: (random) => {
    const [year, month, day] = date(random);
    const full = withLuhn(`${two(year % 100)}${two(month)}${two(day)}${digits(random, 3)}`);
    return `${full.slice(0, 6)}-${full.slice(6)}`;
  },
  TFN: (random) =>
    until(() => {
      const value = `${randomInteger(random, 1, 9)}${digits(random, 8)}`;
      return weightedSum(value, [1, 4, 3, 7, 5, 8, 6, 9, 10]) % 11 === 0
        ? value.match(/.{3}/g)!.join(' ')
        : null;
    }),
  NRIC: (random) => {
    const body = digits(random, 7);
    return `S${body}${'JZIHGFEDCBA'[weightedSum(body, [2, 7, 6, 5, 4, 3, 2]) % 11]}`;
  },
  OPENAI: (random) => `sk-proj-${letters(random, 48, base62)}`,
  AWSKEY: (random) => `AKIA${letters(random, 16, 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567')}`,
  GITHUB: (random) => `ghp_${letters(random, 36, base62)}`,
  STRIPE: (random) => `sk_live_${letters(random, 24, base62)}`,
  SLACK: (random) => `xoxb-${digits(random, 12)}-${digits(random, 12)}-${letters(random, 24, base62)}`,
  GOOGLE: (random) => `AIza${letters(random, 35, base62)}`,
  JWT: (random) => {
    const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
    return `${part({ alg: 'HS256', typ: 'JWT' })}.${part({ sub: digits(random, 6), iat: randomInteger(random, 1_600_000_000, 1_700_000_000) })}.${letters(random, 43, base62)}`;
  },
  GENERIC: (random) => letters(random, randomInteger(random, 24, 40), hexDigits),
  URLPASS: (random) => letters(random, randomInteger(random, 8, 14), base62),
  PASSWORD: (random) =>
    `${pick(['Summer', 'hunter', 'dragon', 'Pa55', 'qwerty', 'Tr0ub4dor'], random)}${digits(random, 3)}${pick(['!', '#', '$', '&'], random)}`,
  PEMKEY: (random) =>
    `-----BEGIN RSA PRIVATE KEY-----\n${letters(random, 64, base62)}\n${letters(random, 40, base62)}\n-----END RSA PRIVATE KEY-----`,
};

/** Numbers that are nobody's: they fail the checks of what they look like. */
export const lookAlikes: Record<string, ValueMaker> = {
  ORDER: (random) => `${randomInteger(random, 1000, 9999)}-${digits(random, 7)}-${digits(random, 7)}`,
};

export const typeOf: Record<string, string> = {
  EMAIL: 'email',
  PHONE: 'phone',
  PHONE_INTL: 'phone',
  STREET: 'street_address',
  DOB: 'date_of_birth',
  DOB_DE: 'date_of_birth',
  SSN: 'us_ssn',
  CARD: 'credit_card',
  IBAN: 'iban',
  IP: 'ip_address',
  IP6: 'ip_address',
  NHS: 'national_id',
  NINO: 'national_id',
  DNI: 'national_id',
  NIE: 'national_id',
  STEUER: 'national_id',
  BSN: 'national_id',
  NIR: 'national_id',
  PESEL: 'national_id',
  CPF: 'national_id',
  AADHAAR: 'national_id',
  HETU: 'national_id',
  CNID: 'national_id',
  SIN: 'national_id',
  PNR: 'national_id',
  TFN: 'national_id',
  NRIC: 'national_id',
  OPENAI: 'api_key',
  AWSKEY: 'api_key',
  GITHUB: 'api_key',
  STRIPE: 'api_key',
  SLACK: 'api_key',
  GOOGLE: 'api_key',
  JWT: 'api_key',
  GENERIC: 'credential',
  URLPASS: 'credential',
  PASSWORD: 'credential',
  PEMKEY: 'private_key',
};
