import { InvalidArgumentError } from 'commander';

/** Parsers of options that are numbers: what isn't one is refused by commander, with the option's name. */

export function wholeNumber(least: number, most = Number.MAX_SAFE_INTEGER): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (text.trim() === '' || !Number.isSafeInteger(value) || value < least || value > most)
      throw new InvalidArgumentError(
        `expected a whole number${most === Number.MAX_SAFE_INTEGER ? ` from ${least}` : `, ${least} to ${most}`}.`,
      );
    return value;
  };
}

/** Of a whole, 0 to 1. */
export function share(text: string): number {
  const value = Number(text);
  if (text.trim() === '' || !(value >= 0 && value <= 1))
    throw new InvalidArgumentError('expected a number from 0 to 1.');
  return value;
}
