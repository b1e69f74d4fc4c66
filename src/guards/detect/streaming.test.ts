import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Recogniser } from '../finding.js';
import { piiRecognisers, secretRecognisers } from './pii/index.js';

const recognisers: readonly Recogniser[] = [...piiRecognisers(), ...secretRecognisers];

const values = [
  'bob.smith@example.co.uk',
  '4111 1111 1111 1111',
  '378282246310005',
  'DE89 3704 0044 0532 0130 00',
  '(212) 555-0100',
  '+49 30 1234567',
  '219-09-9998',
  '111.444.777-35',
  '12345678Z',
  'RSSMRA85T10A562S',
  '131052-308T',
  '192.168.7.20',
  '2001:db8::8a2e:370:7334',
  'born on 12 March 1980',
  'DOB: 1980-03-12',
  '221B Baker Street, London NW1 6XE',
  'Hauptstraße 12, 10115 Berlin',
  '12 rue de la Paix, 75002 Paris',
  'Calle Mayor 5, 28013 Madrid',
  'P.O. Box 1234',
  'sk-proj-abcdefghijk1234567890ABCDEFG',
  'eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9P',
  'password = hunter2!x',
  'password=hunter2!x',
  'postgres://app:s3cr3tPw@db.internal/x',
  '-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBg\n-----END PRIVATE KEY-----',
];
const between = [
  ' ',
  ' ',
  '. ',
  ', ',
  '\n',
  '',
  '-',
  '.',
  ' and ',
  ' card ',
  ' Mr Smith ',
  '12',
  'x',
  '@',
  ':',
  ' phone ',
  ' 7 ',
  '/',
  'é',
];
const text = fc
  .array(
    fc.oneof(
      { weight: 3, arbitrary: fc.constantFrom(...values) },
      { weight: 4, arbitrary: fc.constantFrom(...between) },
      { weight: 1, arbitrary: fc.string({ maxLength: 6 }) },
    ),
    { minLength: 1, maxLength: 9 },
  )
  .map((pieces) => pieces.join(''));

for (const recogniser of recognisers) {
  test(`${recogniser.name}: whatever a split goes through was still held back`, () => {
    fc.assert(
      fc.property(text, (whole) => {
        for (const { start, end } of recogniser.find(whole)) {
          assert.ok(
            end - start <= recogniser.maxSpan,
            `a span of ${end - start} in ${JSON.stringify(whole)}`,
          );
          // up to its end the finding isn't known, and after that for as long as what follows can change it
          for (let split = start + 1; split <= end; split += 1) {
            const open = recogniser.openFrom(whole.slice(0, split));
            assert.ok(
              open <= start,
              `${JSON.stringify(whole)} cut at ${split}: open from ${open}, found at ${start}`,
            );
          }
        }
      }),
      { numRuns: process.env.SLUICE_LONG === '1' ? 20_000 : 300, examples: [['pwD:12345678Z ']] },
    );
  });
}

test('plain prose holds nothing back', () => {
  const prose = 'The river was low that summer, and nobody in the village remembered it otherwise';
  const held = recognisers.map((recogniser) => ({
    name: recogniser.name,
    held: prose.length + 1 - recogniser.openFrom(`${prose} `),
  }));
  assert.deepEqual(
    held.filter((entry) => entry.held > 0),
    [],
  );
});
