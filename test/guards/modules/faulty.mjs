/** A guard that does what the text tells it to. */
export async function check(texts) {
  for (const [index, { text }] of texts.entries()) {
    if (text.includes('hang')) for (;;);
    if (text.includes('wait')) await new Promise(() => {});
    if (text.includes('throw')) throw new Error('as told');
    if (text.includes('eat')) {
      const eaten = [];
      for (;;) eaten.push(new Array(1e5).fill(Math.random()));
    }
    if (text.includes('exit')) process.exit(1);
    if (text.includes('nonsense')) return { action: 'dance' };
    if (text.includes('beyond'))
      return { action: 'redact', spans: [{ text: index, start: 0, end: 1e6, category: 'x' }] };
    const start = text.indexOf('redact');
    if (start >= 0)
      return { action: 'redact', spans: [{ text: index, start, end: start + 6, category: 'mine' }] };
    if (text.includes('warn')) return { action: 'warn', category: 'mine', score: 0.5 };
    if (text.includes('block')) return { action: 'block', category: 'mine', score: 0.9, reason: 'as told' };
  }
  return { action: 'pass' };
}
