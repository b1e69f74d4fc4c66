import type { Engine } from '../engine/engine.js';
import type { TextService } from '../text/text-service.js';

export interface ServedModel {
  readonly id: string;
  readonly revision: string; // another one where the same request may be answered differently
  readonly engine: Engine;
  readonly text: TextService;
}

/** The models loaded in this process, by id and alias. */
export class ModelRegistry {
  readonly #models: ServedModel[] = [];
  readonly #byName = new Map<string, ServedModel>();

  add(model: ServedModel, aliases: readonly string[] = []): void {
    this.#models.push(model);
    for (const name of [model.id, ...aliases]) this.#byName.set(name, model);
  }

  /** Takes the place of one of the same id. */
  replace(model: ServedModel, aliases: readonly string[]): void {
    const index = this.#models.findIndex(({ id }) => id === model.id);
    const before = this.#models[index];
    if (before) this.#forgetNames(before);
    this.#models[before ? index : this.#models.length] = model;
    for (const name of [model.id, ...aliases]) this.#byName.set(name, model);
  }

  /** Nothing happens where another has taken its place. */
  remove(model: ServedModel): void {
    const index = this.#models.indexOf(model);
    if (index < 0) return;
    this.#models.splice(index, 1);
    this.#forgetNames(model);
  }

  list(): readonly ServedModel[] {
    return this.#models;
  }

  aliasesOf(model: ServedModel): string[] {
    return [...this.#byName].flatMap(([name, named]) => (named === model && name !== model.id ? [name] : []));
  }

  #forgetNames(model: ServedModel): void {
    for (const [name, named] of this.#byName) if (named === model) this.#byName.delete(name);
  }
}
