import { isAlphanumeric, isAnyOf, openRun } from '../open-run.js';
import { patternRecogniser } from '../pii/pattern.js';

const isUrl = isAnyOf(':/@._~%!$&*+=-');

/** The password in `scheme://user:password@host`. */
export const urlCredentials = patternRecogniser({
  name: 'url-credentials',
  categories: ['credential'],
  pattern:
    /(?<![A-Za-z0-9])[a-z][a-z0-9+]{1,19}:\/\/[A-Za-z0-9._%-]{0,64}:[^\s/@:"'<>]{3,128}@(?=[A-Za-z0-9[])/gi,
  core: /:\/\//,
  maxSpan: 220,
  lookAhead: 1,
  openFrom: (text, reach) =>
    openRun(
      text,
      (code) =>
        isAlphanumeric(code) ||
        isUrl(code) ||
        (code > 32 && code !== 34 && code !== 39 && code !== 60 && code !== 62),
      isAlphanumeric,
      reach,
    ),
  accept(match) {
    const skip = match.indexOf(':', match.indexOf('://') + 3) + 1;
    const password = match.slice(skip, -1);
    if (/^(?:password|pass|pwd|\$.*|\{.*|\*+|x+)$/i.test(password)) return null;
    return { score: 0.9, isValidated: false, skip, length: password.length };
  },
});
