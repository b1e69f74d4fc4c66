/** Remembers what was computed for words: texts repeat them. Forgets everything when full, so that hostile texts can't fill memory. */
export class WordMemo<Value> {
  private readonly values = new Map<string, Value>();

  constructor(
    private readonly compute: (word: string) => Value,
    private readonly maxWords = 20_000,
  ) {}

  get(word: string): Value {
    let value = this.values.get(word);
    if (value === undefined) {
      if (this.values.size >= this.maxWords) this.values.clear();
      value = this.compute(word);
      this.values.set(word, value);
    }
    return value;
  }
}
