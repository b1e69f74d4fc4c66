import { patternRecogniser } from '../pii/pattern.js';
import { entropy } from './entropy.js';

const MAX_VALUE = 200;
/** The end of a name for secrets, and what stands between it and the value. */
const core =
  /(?:pass(?:word|wd|phrase|code)?|pwd|passwort|contraseña|mot de passe|senha|secret(?:[_ -]?(?:access[_ -]?)?key)?|api[_ -]?key|access[_ -]?key|access[_ -]?token|auth[_ -]?token|private[_ -]?key|client[_ -]?secret|bearer|token)["'`]?\s{0,3}(?:(?::=|[:=]|=>| is | ist | es | lautet )\s{0,3}|\s)["'`]?/
    .source;
const prefix = `(?:[A-Za-z0-9]{0,20}[_-]?)${core}`;
const name = `(?<![A-Za-z0-9])${prefix}`;
const named = new RegExp(`${name}[^\\s"'\`<>,;]{6,200}`, 'gi');
const parts = new RegExp(`^(?<name>${prefix})(?<value>[^\\s"'\`<>,;]{6,200})$`, 'i');
const begun = new RegExp(`${name}[^\\s"'\`<>,;]{1,200}$`, 'i');
const lastRun = /[^\s"'`<>,;]{0,200}$/;

/** A value that a name before it calls a password, a secret, a key or a token: `DB_PASSWORD=…`, "my password is …". */
export const assignedSecrets = patternRecogniser({
  name: 'assigned-secret',
  categories: ['credential'],
  pattern: named,
  core: new RegExp(core, 'i'),
  coreReach: 21,
  maxSpan: MAX_VALUE + 80,
  openFrom(text, reach) {
    const tail = text.slice(-reach);
    return begun.test(tail) ? text.length - lastRun.exec(tail)![0].length : text.length;
  },
  accept(match) {
    const { name, value: run } = parts.exec(match)!.groups as { name: string; value: string };
    const value = run.replace(/[.)\]}]+$/, '');
    if (!isSecret(value, name.toLowerCase())) return null;
    return { score: 0.85, isValidated: false, skip: name.length, length: value.length };
  },
});

/** Not a placeholder, a variable, a call, a path or a plain word. */
function isSecret(value: string, name: string): boolean {
  if (
    value.length < 6 ||
    /^[$%{[(<*.]|^(?:process|os|env|config|self|this)\.|\(|^[*x•]+$|\.\w+\(|^https?:/i.test(value)
  )
    return false;
  if (
    /^(?:null|none|true|false|undefined|string|required|optional|example|your|my|the|changeme$)/i.test(
      value,
    ) &&
    !/\d/.test(value)
  )
    return false;
  const kinds = [/[a-z]/, /[A-Z]/, /\d/, /[^A-Za-z0-9]/].filter((kind) => kind.test(value)).length;
  const isPassword = /pass|pwd|senha|contraseña|mot de passe/.test(name);
  if (isPassword) return kinds >= 2 && /[\d!@#$%^&*+=~?-]/.test(value) && !/^[a-z]+-[a-z-]+$/i.test(value);
  return value.length >= 12 && kinds >= 2 && /\d/.test(value) && entropy(value) >= 3;
}
