import { z } from 'zod';

/** Of guards that take long: for all texts, or only for those that the injection guard is unsure of. */
export const when = z.enum(['always', 'unsure']);
