import { z } from 'zod';

const MAX_DOLLARS = 100_000;
const dollars = z.number().min(0).max(MAX_DOLLARS);

/** Dollars per million tokens. */
export const priceSchema = z.strictObject({
  input: dollars,
  output: dollars,
  cachedInput: dollars.optional(), // absent: as input
});
