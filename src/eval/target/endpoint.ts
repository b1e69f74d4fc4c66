/** Routes of the OpenAI API that an evaluation uses. */
export type EndpointPath = '/completions' | '/chat/completions' | '/embeddings';

export interface EndpointReply {
  body: unknown; // as parsed, of whatever shape
  latencyMs: number; // until the whole answer was there; of a kept one, when it was made
  isKept: boolean; // answered from what was kept, not asked again
}

/** Something that speaks OpenAI's wire: over HTTP, in this process, or with answers kept from before. */
export interface Endpoint {
  /** Rejects with a SluiceError: what the other side says, or upstream_failed, upstream_timeout. */
  post(path: EndpointPath, body: object, signal: AbortSignal): Promise<EndpointReply>;
}
