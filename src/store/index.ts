export { dataDirectory } from './data-directory.js';
export { type Database, openDatabase } from './database.js';
export * from './eval-types.js';
export { Journal } from './journal/journal.js';
export { JournalWriter } from './journal/writer.js';
export { openStore, type Store } from './store.js';
export * from './types.js';
