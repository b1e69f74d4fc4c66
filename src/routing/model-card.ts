import type { ModelInfo } from '../native/types.js';

/** What clients may know of a model's file. */
export interface ModelCard {
  architecture: string;
  parameters: number;
  sizeBytes: number;
  vocabSize: number;
  trainContext: number; // tokens
  hasChatTemplate: boolean;
}

export function cardOf(info: ModelInfo): ModelCard {
  const { architecture, parameters, sizeBytes, vocabSize, trainContext, chatTemplate } = info;
  return {
    architecture,
    parameters,
    sizeBytes,
    vocabSize,
    trainContext,
    hasChatTemplate: chatTemplate !== '',
  };
}
