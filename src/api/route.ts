import type { z } from 'zod';
import type { ErrorCode } from '../errors.js';
import type { ApiContext } from './context.js';
import type { Exchange } from './exchange.js';

export interface Route {
  method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  /** Who may call it; by default whoever has a key, or everyone where there are none. */
  access?: 'open' | 'admin';
  path: string; // ends in "/:name" where the rest of the path is a parameter
  summary: string;
  request?: z.ZodType;
  /** Absent: text. */
  response?: z.ZodType;
  /** What is answered with 202, where the request may ask for that. */
  accepted?: z.ZodType;
  /** Each event, where the request may ask for a stream. */
  event?: z.ZodType;
  errors: readonly ErrorCode[];
  /** Whatever it throws is sent as an error. `parameter` is the rest of the path, decoded. */
  handle(exchange: Exchange, api: ApiContext, parameter: string): void | Promise<void>;
}

/** Of routes that read a body and name a model. */
export const BODY_ERRORS = [
  'invalid_json',
  'invalid_value',
  'unsupported_media_type',
  'body_too_large',
  'model_not_found',
] as const satisfies ErrorCode[];

/** Of routes that read a body and write to the store. */
export const STORED_BODY_ERRORS = [
  'invalid_json',
  'invalid_value',
  'unsupported_media_type',
  'body_too_large',
  'store_unavailable',
] as const satisfies ErrorCode[];
