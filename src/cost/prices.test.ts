import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { dollars, formatDollars, nanodollars } from '../support/money.js';
import { costOf, maxCostOf, PriceTable } from './prices.js';

const table = new PriceTable(
  { 'gpt-4o': { input: 2.5, output: 10, cachedInput: 1.25 }, plain: { input: 1, output: 2 } },
  { local: { input: 0.05, output: 0.2, cachedInput: 0.005 }, unknown: { input: 10, output: 30 } },
);

test('a million tokens cost what the table says, in nanodollars', () => {
  const price = table.of({ id: 'gpt-4o', isLocal: false });
  const counts = { promptTokens: 2_000_000, cachedTokens: 1_000_000, completionTokens: 1_000_000 };
  assert.equal(costOf(price, counts), nanodollars(2.5 + 1.25 + 10));
  assert.equal(price.source, 'table');
});

test('models outside the table: local ones have a notional price, others the default of 0.01 and 0.03 per thousand', () => {
  assert.equal(table.of({ id: 'gemma', isLocal: true }).source, 'local');
  const unknown = table.of({ id: 'x', isLocal: false });
  assert.equal(unknown.source, 'default');
  assert.equal(
    costOf(unknown, { promptTokens: 1000, cachedTokens: 0, completionTokens: 1000 }),
    nanodollars(0.04),
  );
  assert.equal(table.of({ id: 'plain', isLocal: true }).source, 'table', 'the table goes first');
});

test("a model's own price goes before the table's", () => {
  const price = table.of({ id: 'plain', isLocal: false, price: { input: 7, output: 8 } });
  assert.equal(costOf(price, { promptTokens: 1000, cachedTokens: 0, completionTokens: 0 }), 7_000_000);
  assert.equal(price.source, 'table');
});

test('cached input costs as much as other input where nothing is said', () => {
  const price = table.of({ id: 'plain', isLocal: false });
  assert.equal(costOf(price, { promptTokens: 10, cachedTokens: 10, completionTokens: 0 }), 10_000);
});

test('property: nothing that may be used costs more than the maximum', () => {
  const entry = fc.record({
    input: fc.double({ min: 0, max: 1000, noNaN: true }),
    output: fc.double({ min: 0, max: 1000, noNaN: true }),
    cachedInput: fc.double({ min: 0, max: 1000, noNaN: true }),
  });
  const tokens = fc.integer({ min: 0, max: 1_000_000 });
  fc.assert(
    fc.property(
      entry,
      tokens,
      tokens,
      fc.double({ min: 0, max: 1, noNaN: true }),
      (prices, prompt, most, share) => {
        const price = new PriceTable({ m: prices }, { local: prices, unknown: prices }).of({
          id: 'm',
          isLocal: true,
        });
        const counts = {
          promptTokens: Math.floor(prompt * share),
          cachedTokens: Math.floor(prompt * share * share),
          completionTokens: Math.floor(most * share),
        };
        const cost = costOf(price, counts);
        assert.ok(Number.isSafeInteger(cost));
        assert.ok(cost <= maxCostOf(price, prompt, most));
      },
    ),
  );
});

test('dollars are shown with as many decimals as they have', () => {
  assert.equal(formatDollars(nanodollars(1.5)), '$1.50');
  assert.equal(formatDollars(12_345), '$0.000012345');
  assert.equal(formatDollars(0), '$0.00');
  assert.equal(formatDollars(-2_000_000_000), '-$2.00');
  assert.equal(dollars(nanodollars(0.1) + nanodollars(0.2)), 0.3);
});
