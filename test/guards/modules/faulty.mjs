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
    // One allocation beyond its heap: V8 doesn't throw, it ends the process.
    if (text.includes('devour')) {
      const eaten = [];
      for (;;) eaten.push(new Array(5e6).fill(1.5));
    }
    // What isn't in the heap of JavaScript. Ends by itself, so that a bound that doesn't hold shows.
    if (text.includes('hoard')) {
      const hoard = [];
      for (let mib = 0; mib < 1024; mib += 8) hoard.push(Buffer.alloc(8 * 2 ** 20, 1));
    }
    if (text.includes('exit')) process.exit(1);
    if (text.includes('abort')) process.abort();
    if (text.includes('kill')) process.kill(process.pid, 'SIGKILL');
    if (text.includes('later')) setTimeout(() => Promise.reject(new Error('as told')), 20);
    if (text.includes('mute')) process.disconnect();
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
