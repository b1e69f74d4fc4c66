import { makeModeration } from './moderation-set.js';
import { makePii } from './pii-set.js';
import { makeAttacks, makeBenign } from './prompt-sets.js';
import { writeSet } from './sets.js';

/** Writes the labelled sets from the seeds: `npm run make:guard-sets`. Equal seeds give equal files. */
writeSet('attacks', makeAttacks());
writeSet('benign', makeBenign());
writeSet('pii', makePii());
writeSet('moderation', makeModeration());
