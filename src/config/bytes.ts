import { z } from 'zod';

const BYTE_UNITS: Record<string, number> = { '': 1, K: 2 ** 10, M: 2 ** 20, G: 2 ** 30, T: 2 ** 40 };

/** A number of bytes, or text such as "512MiB" or "4G" (powers of 1024). */
export const bytes = () =>
  z.preprocess((value) => {
    const match =
      typeof value === 'string' ? /^\s*(\d+(?:\.\d+)?)\s*([KMGT]?)(?:i?B)?\s*$/i.exec(value) : null;
    return match ? Math.round(Number(match[1]) * BYTE_UNITS[match[2]!.toUpperCase()]!) : value;
  }, z.int('expected a number of bytes, or text such as "512MiB"').min(0));
