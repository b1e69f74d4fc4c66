/** The thread that owns the server's connection to the cache of its data folder. */
import { serveRemote } from '../../support/remote.js';
import { openCacheDatabase } from './database.js';

serveRemote((data) => openCacheDatabase((data as { directory: string }).directory));
