import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { projectRoot } from '../support/root.js';

const licenceSchema = z.object({
  name: z.string(),
  url: z.url(),
  /** Whether its terms ask that whoever downloads the model sees them. */
  show: z.boolean(),
});

const catalogEntrySchema = z.object({
  name: z.string().regex(/^[A-Za-z0-9][\w.-]*$/),
  description: z.string(),
  file: z.string().regex(/^[\w.-]+\.gguf$/),
  bytes: z.int().positive(),
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
  /** Tokens the model was trained for. */
  context: z.int().positive(),
  licence: licenceSchema,
  /** References, tried in this order. */
  sources: z.array(z.string()).min(1),
});

const catalogSchema = z.object({ default: z.string(), models: z.array(catalogEntrySchema) });

export type Licence = z.infer<typeof licenceSchema>;
export type CatalogEntry = z.infer<typeof catalogEntrySchema>;
export type Catalog = z.infer<typeof catalogSchema>;
export { licenceSchema };

export function readCatalog(path = join(projectRoot(), 'models', 'catalog.json')): Catalog {
  return catalogSchema.parse(JSON.parse(readFileSync(path, 'utf8')));
}

export function findInCatalog(catalog: Catalog, name: string): CatalogEntry | null {
  return catalog.models.find((entry) => entry.name === name) ?? null;
}
