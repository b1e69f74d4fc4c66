const counts = new Uint32Array(0x10000);

/** Shannon entropy of a text's UTF-16 units, in bits a unit: words 2.5 to 3.5, random base64 of 40 about 4.8. */
export function entropy(text: string): number {
  const seen: number[] = [];
  for (let at = 0; at < text.length; at += 1) {
    const unit = text.charCodeAt(at);
    if (counts[unit] === 0) seen.push(unit);
    counts[unit]! += 1;
  }
  let bits = 0;
  for (const unit of seen) {
    const share = counts[unit]! / text.length;
    bits -= share * Math.log2(share);
    counts[unit] = 0;
  }
  return bits;
}
