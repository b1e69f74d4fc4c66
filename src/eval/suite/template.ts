import { SluiceError } from '../../errors.js';

/** `{{name}}` and `{{path.to.it}}` replaced by the variables; other than text is written as JSON. Throws invalid_value. */
export function fill(template: string, variables: Readonly<Record<string, unknown>>): string {
  return template.replace(/\{\{\s*([\w.-]+)\s*\}\}/g, (_, path: string) => {
    const value = path
      .split('.')
      .reduce<unknown>(
        (at, key) =>
          typeof at === 'object' && at !== null ? (at as Record<string, unknown>)[key] : undefined,
        variables,
      );
    if (value === undefined) throw new SluiceError('invalid_value', `There is no variable {{${path}}}.`);
    return typeof value === 'string' ? value : JSON.stringify(value);
  });
}
