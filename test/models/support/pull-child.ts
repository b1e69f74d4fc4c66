import { createReporter, resolveModel } from '../../../src/models/index.js';

/** A process of its own that resolves the reference given, and prints the path. */
const model = await resolveModel(process.argv[2]!, { reporter: createReporter(process.stderr) });
process.stdout.write(`${model.path}\n`);
