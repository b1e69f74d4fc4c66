import { createCipheriv, createDecipheriv, createHmac, randomBytes } from 'node:crypto';
import { label } from '../edits.js';

const KEY_BYTES = 32; // AES-256
const NONCE_BYTES = 12;
const TAG_BYTES = 16;

/**
 * Values that were hidden from a model, by the placeholders that it sees instead: `[EMAIL_1]`. Equal values have equal
 * placeholders. They are encrypted, under a key that goes with the vault, so that a dump of the memory of later requests
 * doesn't show them.
 */
export class Vault {
  readonly #key = randomBytes(KEY_BYTES);
  readonly #placeholders = new Map<string, string>(); // by a keyed hash of the value
  readonly #values = new Map<string, Buffer>();
  readonly #counts = new Map<string, number>(); // by label

  get isEmpty(): boolean {
    return this.#values.size === 0;
  }

  hide(value: string, category: string): string {
    const name = label(category);
    const hash = createHmac('sha256', this.#key).update(`${name}\n${value}`).digest('base64');
    const known = this.#placeholders.get(hash);
    if (known) return known;
    const count = (this.#counts.get(name) ?? 0) + 1;
    this.#counts.set(name, count);
    const placeholder = `[${name}_${count}]`;
    this.#placeholders.set(hash, placeholder);
    this.#values.set(placeholder, this.#encrypt(value));
    return placeholder;
  }

  /** Undefined where no value has this placeholder. */
  reveal(placeholder: string): string | undefined {
    const encrypted = this.#values.get(placeholder);
    return encrypted && this.#decrypt(encrypted);
  }

  has(placeholder: string): boolean {
    return this.#values.has(placeholder);
  }

  /** Whether some placeholder begins like this. */
  hasPrefix(text: string): boolean {
    for (const placeholder of this.#values.keys()) if (placeholder.startsWith(text)) return true;
    return false;
  }

  destroy(): void {
    this.#key.fill(0);
    this.#placeholders.clear();
    this.#values.clear();
  }

  #encrypt(value: string): Buffer {
    const nonce = randomBytes(NONCE_BYTES);
    const cipher = createCipheriv('aes-256-gcm', this.#key, nonce);
    const encrypted = Buffer.concat([cipher.update(value, 'utf8'), cipher.final()]);
    return Buffer.concat([nonce, cipher.getAuthTag(), encrypted]);
  }

  #decrypt(stored: Buffer): string {
    const nonce = stored.subarray(0, NONCE_BYTES);
    const decipher = createDecipheriv('aes-256-gcm', this.#key, nonce);
    decipher.setAuthTag(stored.subarray(NONCE_BYTES, NONCE_BYTES + TAG_BYTES));
    const value = decipher.update(stored.subarray(NONCE_BYTES + TAG_BYTES));
    return Buffer.concat([value, decipher.final()]).toString('utf8');
  }
}
