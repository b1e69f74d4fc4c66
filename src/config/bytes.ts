import { z } from 'zod';

const BYTE_UNITS: Record<string, number> = { '': 1, K: 2 ** 10, M: 2 ** 20, G: 2 ** 30, T: 2 ** 40 };

/** A number of bytes, or text such as "512MiB" or "4G" (powers of 1024). `least` is 1 where nothing could be done with none. */
export const bytes = (least: 0 | 1 = 0) =>
  z.preprocess(
    (value) => {
      const match =
        typeof value === 'string' ? /^\s*(\d+(?:\.\d+)?)\s*([KMGT]?)(?:i?B)?\s*$/i.exec(value) : null;
      return match ? Math.round(Number(match[1]) * BYTE_UNITS[match[2]!.toUpperCase()]!) : value;
    },
    z.int('expected a number of bytes, or text such as "512MiB"').min(least, `expected at least ${least}`),
  );
