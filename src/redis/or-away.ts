import { SluiceError } from '../errors.js';
import { away } from './connection.js';

/** For who doesn't try again: whatever Redis or the way there fails with is store_unavailable. */
export async function orAway<T>(reply: Promise<T>): Promise<T> {
  try {
    return await reply;
  } catch (error) {
    throw error instanceof SluiceError ? error : away();
  }
}
