/** What a prompt loses first when it has to become shorter. */
export const trimStrategies = ['drop_oldest', 'middle_out', 'head_tail'] as const;
export type TrimStrategy = (typeof trimStrategies)[number];

export interface TrimOptions {
  strategy: TrimStrategy;
  maxTokens: number; // of the prompt as the model reads it
}

/** What was cut. Messages are numbered as in the request. */
export interface TrimReport {
  strategy: TrimStrategy;
  maxTokens: number;
  tokensBefore: number;
  tokensAfter: number;
  removedMessages: number[];
  shortenedMessages: { message: number; sentences: number }[]; // how many sentences each lost
}
