import { Packr, Unpackr } from 'msgpackr';
import type { ContextInfo, ModelInfo, NativeErrorCode } from '../native/types.js';
import type { PinResult } from './live-request.js';
import type { EngineConfig, EngineEvent, EngineStats, GenerateRequest, PinnedPrefix } from './types.js';

/** Main thread → engine thread. `call` comes back with the reply. */
export type Command =
  | { type: 'submit'; request: GenerateRequest }
  | { type: 'cancel'; id: string }
  | { type: 'pin'; call: number; tenant: string; id: string; tokens: Int32Array }
  | { type: 'unpin'; call: number; tenant: string; id: string }
  | { type: 'list'; call: number; tenant: string }
  | { type: 'ping' } // answered with a report as soon as the step that runs is over
  | { type: 'close' };

/** Engine thread → main thread, beside the packed steps. */
export type Report =
  | { type: 'loading'; fraction: number }
  | { type: 'ready'; info: ReadyInfo }
  | { type: 'load-failed'; code: NativeErrorCode | null; message: string }
  | { type: 'reply'; call: number; result: Reply }
  | { type: 'stats'; stats: EngineStats }
  | { type: 'fault'; message: string };

export type Reply = PinResult | boolean | PinnedPrefix[];

export interface ReadyInfo {
  model: ModelInfo;
  context: ContextInfo;
  maxContext: number; // tokens
  maxSequences: number;
}

export interface ThreadData {
  config: EngineConfig;
}

const packr = new Packr();
const unpackr = new Unpackr();

/** All events of one step as one message, in memory of its own that can be transferred. */
export function packEvents(events: EngineEvent[]): Uint8Array<ArrayBuffer> {
  // pack() returns a view of a buffer that it writes again: the copy is what may leave.
  return Uint8Array.from(packr.pack(events));
}

export function unpackEvents(message: Uint8Array): EngineEvent[] {
  return unpackr.unpack(message) as EngineEvent[];
}
