/** The thread that owns the server's connection to the store. */
import { serveRemote } from '../support/remote.js';
import { openDatabase } from './database.js';

serveRemote((data) => openDatabase((data as { directory: string }).directory));
