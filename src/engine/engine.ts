import type { ContextInfo, ModelInfo } from '../native/types.js';
import type { EngineEvent, EngineStats, GenerateRequest, PinnedPrefix } from './types.js';

/** What the rest of the server knows of an engine. Implemented by EngineHost (a thread) and by test doubles. */
export interface Engine {
  readonly modelId: string; // the name clients use
  readonly model: ModelInfo;
  readonly context: ContextInfo;
  readonly maxContext: number; // tokens a single sequence may have (prompt + answer)
  readonly createdAtMs: number;
  /**
   * Accepts a request or throws a SluiceError (queue_full, request_too_large, shutting_down). After acceptance
   * `sink` sees its events until each choice is done, or one error. Sinks must not throw.
   */
  generate(request: GenerateRequest, sink: (event: EngineEvent) => void): void;
  /** Ends a request within one step; its choices report done with finishReason 'cancelled'. Unknown ids are ignored. */
  cancel(id: string): void;
  pinPrefix(tenant: string, id: string, tokens: Int32Array): Promise<PinnedPrefix>;
  listPrefixes(tenant: string): Promise<PinnedPrefix[]>;
  /** False where there was none of that id. */
  unpinPrefix(tenant: string, id: string): Promise<boolean>;
  stats(): EngineStats;
  /** True while the thread answers and, if it has work, has stepped within the last few seconds. */
  healthy(): boolean;
  /** Refuses new requests and resolves when the running ones have ended. */
  drain(): Promise<void>;
  /** Ends everything now and frees the model. */
  close(): Promise<void>;
}
