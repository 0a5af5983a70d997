// What rolldown is told wherever the verifier is bundled for browsers: the same sources as Node runs, with arithmetic in place of its modules.

import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const folder = dirname(fileURLToPath(import.meta.url));

export const resolve = { alias: { 'node:crypto': join(folder, 'crypto.ts') } };
export const inject = { Buffer: ['browser-buffer', 'Buffer'] };
