import { defaultModelsDirectory, findStored, ModelStore, readCatalog } from '../../models/index.js';
import { previewRepack, repackedDirectory, thisMachine } from '../../repack/index.js';

// Started by the doctor as a process of its own.
const catalog = readCatalog();
const store = new ModelStore(defaultModelsDirectory(process.env));
const stored = await findStored(catalog.default, store, catalog);
const detail =
  stored === null
    ? null
    : await previewRepack(
        { path: stored.path, revision: stored.manifest.sha256 },
        {
          machine: () => thisMachine({ backend: 'auto', gpuLayers: -1, threads: 0, weights: 'auto' }),
          directory: repackedDirectory(process.env),
        },
      );
process.stdout.write(JSON.stringify({ detail }));
