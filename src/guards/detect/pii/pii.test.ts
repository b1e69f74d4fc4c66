import assert from 'node:assert/strict';
import { test } from 'node:test';
import { resolveOverlaps } from '../overlaps.js';
import { piiRecognisers, secretRecognisers } from './index.js';
import { piiPriority } from './priority.js';

const recognisers = [...piiRecognisers(), ...secretRecognisers];

function found(text: string): [category: string, value: string][] {
  const findings = recognisers.flatMap((recogniser) => recogniser.find(text));
  return resolveOverlaps(findings, piiPriority).map(({ start, end, category }) => [
    category,
    text.slice(start, end),
  ]);
}

const cases: [text: string, ...expected: [string, string][]][] = [
  ['Mail Bob.Smith+x@mail.example.co.uk.', ['email', 'Bob.Smith+x@mail.example.co.uk']],
  ['müller@bücher.example schreibt', ['email', 'müller@bücher.example']],
  ['card 4111 1111 1111 1111, exp 09/27', ['credit_card', '4111 1111 1111 1111']],
  ['Amex 3782-822463-10005', ['credit_card', '3782-822463-10005']],
  ['IBAN DE89 3704 0044 0532 0130 00 please', ['iban', 'DE89 3704 0044 0532 0130 00']],
  ['pay GB82WEST12345698765432.', ['iban', 'GB82WEST12345698765432']],
  ['call (212) 555-0100 or +49 30 1234567', ['phone', '(212) 555-0100'], ['phone', '+49 30 1234567']],
  ['Telefon: 030 1234567', ['phone', '030 1234567']],
  ['SSN 219-09-9998', ['us_ssn', '219-09-9998']],
  ['NHS number 943 476 5919', ['uk_nhs', '943 476 5919']],
  ['AB 12 34 56 C is my NINO', ['uk_nino', 'AB 12 34 56 C']],
  ['DNI 12345678Z', ['es_dni', '12345678Z']],
  ['NIE X1234567L', ['es_nie', 'X1234567L']],
  ['Steuer-ID 86095742719', ['de_tax_id', '86095742719']],
  ['CF RSSMRA85T10A562S', ['it_fiscal_code', 'RSSMRA85T10A562S']],
  ['BSN 111222333', ['nl_bsn', '111222333']],
  ['PESEL 44051401359', ['pl_pesel', '44051401359']],
  ['HETU 131052-308T', ['fi_hetu', '131052-308T']],
  ['CPF 111.444.777-35', ['br_cpf', '111.444.777-35']],
  ['SIN 130 692 544', ['ca_sin', '130 692 544']],
  ['身份证 11010519491231002X', ['cn_resident_id', '11010519491231002X']],
  ['NRIC S1234567D', ['sg_nric', 'S1234567D']],
  ['TCKN 10000000146', ['tr_tckn', '10000000146']],
  [
    'from 192.168.7.20 and 2001:db8::8a2e:370:7334',
    ['ip_address', '192.168.7.20'],
    ['ip_address', '2001:db8::8a2e:370:7334'],
  ],
  ['born on 12 March 1980; married 12 March 2001', ['date_of_birth', '12 March 1980']],
  ['Geburtsdatum: 03.04.1975', ['date_of_birth', '03.04.1975']],
  ['221B Baker Street, London NW1 6XE', ['street_address', '221B Baker Street, London NW1 6XE']],
  ['Hauptstraße 12, 10115 Berlin', ['street_address', 'Hauptstraße 12, 10115 Berlin']],
  ['sk-proj-abcdefghijk1234567890ABCDEFG', ['api_key', 'sk-proj-abcdefghijk1234567890ABCDEFG']],
  ['id AKIAIOSFODNN7EXAMPLE', ['cloud_token', 'AKIAIOSFODNN7EXAMPLE']],
  ['password: hunter2!x and more', ['credential', 'hunter2!x']],
  ['DB_PASSWORD=hunter2 and password:hunter2!x.', ['credential', 'hunter2'], ['credential', 'hunter2!x']],
  ['postgres://app:s3cr3tPw@db.internal/x', ['credential', 's3cr3tPw']],
  [
    '-----BEGIN PRIVATE KEY-----\nMIIE\n-----END PRIVATE KEY----- ok',
    ['private_key', '-----BEGIN PRIVATE KEY-----\nMIIE\n-----END PRIVATE KEY-----'],
  ],
  // what only looks like it
  ['order 4111111111111111, card 4111 1111 1111 1112'],
  ['DE89 3704 0044 0532 0130 01, DNI 12345678A, CPF 111.444.777-34'],
  ['version 10.4.2.1, section 1.2.3.4, 127.0.0.1, 999.1.1.1, std::cafe'],
  ['2024-01-02T03:04:05Z 1700000000 9f86d081884c7d659a2feaa0c55ad015 1Z999AA10123456784'],
  ['released 12 March 1980, 20 years on the Road to nowhere, 3 Wise Men'],
  ['token = os.environ["X"], password = ********, sk-xxxxxxxxxxxxxxxxxxxx, @alice, foo@bar'],
];

for (const [text, ...expected] of cases)
  test(`${expected.length === 0 ? 'nothing' : expected.map(([category]) => category).join(', ')} in: ${text.slice(0, 60)}`, () => {
    assert.deepEqual(found(text), expected);
  });

test('of overlapping findings the validated one stays, then the longer, then what is named first', () => {
  const finding = (start: number, end: number, category: string, isValidated = false, score = 0.5) => ({
    start,
    end,
    category,
    isValidated,
    score,
    detail: null,
  });
  const kept = (...findings: ReturnType<typeof finding>[]) =>
    resolveOverlaps(findings, ['a', 'b']).map(({ category }) => category);
  assert.deepEqual(kept(finding(0, 9, 'long'), finding(2, 5, 'true', true)), ['true']);
  assert.deepEqual(kept(finding(0, 4, 'short'), finding(2, 9, 'long')), ['long']);
  assert.deepEqual(kept(finding(0, 4, 'b'), finding(0, 4, 'a')), ['a']);
  assert.deepEqual(kept(finding(4, 8, 'second'), finding(0, 4, 'first')), ['first', 'second']);
});
