import { askModel } from '../ask-model.js';
import type { Errand, Router } from '../router.js';
import { type Judge, VERDICT_GRAMMAR } from './judge.js';

/** A digit is one token; a model that can't be held to a grammar may put a space before it. */
const MAX_TOKENS = 4;

/** A judge that is one of the served models. */
export function judgeModel(router: Router, model: string, { trace, ...errand }: Errand): Judge {
  return (prompt, id, signal) => {
    const messages = [{ role: 'user', content: prompt }];
    const question = { id, messages, grammar: VERDICT_GRAMMAR, maxTokens: MAX_TOKENS };
    return trace.stage('judge', (stage) =>
      askModel(router, model, { ...errand, trace: stage }, question, signal),
    );
  };
}
