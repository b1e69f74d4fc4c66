export { type ConnectOptions, SluiceClient, type WebSocketLike } from './client.js';
export { ClientError } from './client-error.js';
export { Generation } from './generation.js';
export type * from './protocol.js';
