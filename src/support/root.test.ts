import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { projectRoot } from './root.js';

test('finds the root from a compiled file', () => {
  const root = projectRoot();
  assert.ok(existsSync(join(root, 'package.json')) && existsSync(join(root, 'src', 'support', 'root.ts')));
});
