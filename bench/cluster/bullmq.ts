/** The job that both sides of the BullMQ peer know: answer a request with so many tokens, each told as it comes. */
export const QUEUE = 'generate';

export interface Job {
  maxTokens: number;
}

export interface BullmqOptions {
  port: number;
  redisPort: number;
  stepMs: number;
  sequences: number;
}
