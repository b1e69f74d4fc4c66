/** The thread that compares vectors of questions that gateways share. */
import { serveRemote } from '../../support/remote.js';
import { openSharedIndex } from './shared-index.js';

serveRemote(openSharedIndex);
