import type { Engine } from '../engine/engine.js';
import { SluiceError } from '../errors.js';
import type { TextService } from '../text/text-service.js';

export interface ServedModel {
  readonly id: string;
  readonly engine: Engine;
  readonly text: TextService;
}

/** The models clients may name, by id and alias. The first one added is the default. */
export class ModelRegistry {
  readonly #models: ServedModel[] = [];
  readonly #byName = new Map<string, ServedModel>();

  add(model: ServedModel, aliases: readonly string[] = []): void {
    this.#models.push(model);
    for (const name of [model.id, ...aliases]) this.#byName.set(name, model);
  }

  /** Throws model_not_found. */
  resolve(name: string | null): ServedModel {
    const model = name === null ? this.#models[0] : this.#byName.get(name);
    if (model) return model;
    const known = this.#models.map(({ id }) => id).join(', ');
    throw new SluiceError(
      'model_not_found',
      `The model ${JSON.stringify(name)} isn't served here. Served: ${known}.`,
      {
        param: 'model',
      },
    );
  }

  list(): readonly ServedModel[] {
    return this.#models;
  }
}
