/**
 * Writes a model of a known shape with random weights: what a GPU's speed can be measured on where no such model is at
 * hand.
 *
 * Usage: npm run make:model -- SHAPE MIX OUT     SHAPE: 1b, 8b; MIX: f16, q4_k_m
 */
import { createWriteStream } from 'node:fs';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { modelShapes, randomModel, type WeightMix, weightMixes } from './random-model.js';

const [shapeName = '', mix = '', out = ''] = process.argv.slice(2);
const shape = modelShapes[shapeName];
if (shape === undefined || !(mix in weightMixes) || out === '') {
  console.error(`Usage: SHAPE (${Object.keys(modelShapes)}) MIX (${Object.keys(weightMixes)}) OUT`);
  process.exit(2);
}
await pipeline(Readable.from(randomModel(shape, mix as WeightMix, 1)), createWriteStream(out));
