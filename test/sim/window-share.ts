import { windowPagesNeeded } from '../../src/engine/attention-window.js';
import type { CoreConfig } from '../../src/engine/step-loop.js';
import { request, testCore } from './core.js';
import { vocabSize } from './fake-model.js';
import { Random } from './random.js';

// Prints what the prefix cache finds again, of what one without bounds would, in the same memory with whole pages and
// with window pages of several shares. The scheduler is the real one. Usage: node dist/test/sim/window-share.js

const pageSize = 16;
const windowTokens = 512;
const windowWeight = 5; // layers with a window for each of the others
const sequences = 8;
const batchTokens = 256;
const conversations = 120;
const requests = 800;
const longest = 3_500; // tokens, after which a conversation begins anew

interface Conversation {
  tokens: number[];
  seen: number; // tokens that were computed in its earlier turns
}

function configOf(wholePages: number, share: number): CoreConfig {
  const window = { kind: 'sliding', size: windowTokens } as const;
  const reserved = windowPagesNeeded(window, pageSize, sequences, batchTokens);
  const pages = Math.floor((wholePages * (1 + windowWeight)) / (1 + windowWeight * share));
  return {
    pageSize,
    pages,
    window: share === 1 ? null : { ...window, pages: Math.max(reserved, Math.ceil(pages * share)), reserved },
    maxSequences: sequences,
    guestSequences: 0,
    maxPagesPerSequence: 256,
    maxBatchTokens: batchTokens,
    maxOutputs: 64,
    targetStepMs: 0,
    watermark: 0.01,
    sessionMaxTokens: 0,
    prefixCache: true,
    draftTokens: 0,
    maxContext: 4_096,
    maxQueue: 100,
  };
}

/** Conversations of uneven popularity take turns; `shared` tokens are the same in a quarter of them each. */
function hitShare(wholePages: number, share: number, shared: number): number {
  const random = new Random(7);
  const tokens = (length: number) => Array.from({ length }, () => random.int(1, vocabSize - 1));
  const heads = Array.from({ length: 4 }, () => tokens(shared));
  const all: Conversation[] = Array.from({ length: conversations }, (_, index) => ({
    tokens: [...heads[index % 4]!, ...tokens(160)],
    seen: shared,
  }));
  const test = testCore(configOf(wholePages, share));
  let found = 0;
  let ideal = 0;
  for (let turn = 0; turn < requests; turn++) {
    const conversation = all[Math.floor(conversations * random.unit() ** 2.5)]!;
    if (conversation.tokens.length > longest) conversation.tokens.length = shared + 160;
    const asked = request({ prompt: Int32Array.from(conversation.tokens), maxTokens: 8 });
    test.core.submit(asked);
    test.finish();
    for (const event of test.events.splice(0)) {
      if (event.type === 'prompt') found += event.cachedTokens;
      if (event.type === 'delta') conversation.tokens.push(...event.tokens);
    }
    ideal += Math.min(conversation.seen, asked.prompt.length - 1);
    conversation.seen = conversation.tokens.length;
    conversation.tokens.push(...tokens(random.int(60, 260)));
  }
  return found / ideal;
}

for (const shared of [0, 1_200]) {
  for (const wholePages of [1_500, 4_000]) {
    const shares = [1, 0.75, 0.5, 0.25].map((share) => {
      const percent = (100 * hitShare(wholePages, share, shared)).toFixed(1);
      return share === 1 ? `whole pages ${percent} %` : `share ${share} ${percent} %`;
    });
    console.log(`${shared} shared tokens, memory of ${wholePages} whole pages: ${shares.join(', ')}`);
  }
}
