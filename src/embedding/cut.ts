/** Keeps the first tokens and the last one, with which encoders end every text. */
export function cut(tokens: Int32Array, maxTokens: number): Int32Array {
  if (tokens.length <= maxTokens) return tokens;
  const kept = tokens.slice(0, maxTokens);
  kept[maxTokens - 1] = tokens.at(-1)!;
  return kept;
}
