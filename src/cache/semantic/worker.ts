/** The thread that owns the answers to similar questions, and compares vectors. */
import { serveRemote } from '../../support/remote.js';
import { openSemanticDatabase } from './database.js';

serveRemote((data) => openSemanticDatabase((data as { directory: string }).directory));
