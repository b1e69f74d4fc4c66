/** What is known about places of a text beside its words, by columns: a phrase that ends there, what a word is about. */
export class Marks {
  readonly words: number[] = [];
  readonly hashes: number[] = []; // of their names: markHash, or several combined

  add(word: number, hash: number): void {
    this.words.push(word);
    this.hashes.push(hash);
  }
}
