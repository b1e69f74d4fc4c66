export { type Access, KeyAccess, openAccess } from './access.js';
export * from './administration.js';
export { anonymousCaller, type Caller, mayUse, refuseModel } from './caller.js';
export { KeyDirectory } from './key-directory.js';
