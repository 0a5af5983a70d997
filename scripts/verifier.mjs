// Makes the verifier that auditors take along: one module and one page, each a single file that needs nothing else, and their digests.
//
//   node scripts/verifier.mjs [FOLDER]     dist/verifier unless told otherwise
//
// The same sources give the same bytes: whoever builds a release can compare.

import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'rolldown';
import { inject, resolve } from '../console/verifier/bundle.mjs';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const source = (name) => join(root, 'console', 'verifier', name);

const digest = (algorithm, text, encoding) => createHash(algorithm).update(text).digest(encoding);

const bundle = async (name, format) => {
  const { output } = await build({
    input: source(name),
    cwd: root,
    platform: 'browser',
    tsconfig: join(root, 'console', 'tsconfig.json'),
    resolve,
    transform: { target: 'es2022', inject },
    output: { format, comments: { legal: true, annotation: false, jsdoc: false } },
    write: false,
    // What it would leave to be imported, a single file can't have.
    onLog: (_level, log) => {
      throw new Error(log.message);
    },
  });
  if (output.length !== 1 || output[0].imports.length > 0) throw new Error(`${name} isn't one file by itself`);
  return output[0].code;
};

/** Text for an element that HTML ends at the next such tag. */
const embedded = (code) => code.replaceAll(/<(?=\/script|!--)/gi, '\\x3c');

const page = async () => {
  const style = readFileSync(source('page.css'), 'utf8');
  const script = embedded(await bundle('page.ts', 'iife'));
  const worker = embedded(await bundle('worker.ts', 'iife'));
  const only = (text) => `'sha256-${digest('sha256', text, 'base64')}'`;
  const policy = [
    "default-src 'none'",
    `script-src ${only(script)}`,
    `style-src ${only(style)}`,
    'worker-src blob:',
    'img-src data:',
    "base-uri 'none'",
    "form-action 'none'",
    "require-trusted-types-for 'script'",
    'trusted-types counterfoil-verifier',
  ].join('; ');
  const parts = { '/* STYLE */': style, '/* WORKER */': worker, '/* SCRIPT */': script, '"POLICY"': `"${policy}"` };
  return readFileSync(source('page.html'), 'utf8').replaceAll(
    /\/\* (?:STYLE|WORKER|SCRIPT) \*\/|"POLICY"/g,
    (place) => parts[place],
  );
};

const folder = process.argv[2] ?? join(root, 'dist', 'verifier');
const files = { 'counterfoil-verify.html': await page(), 'counterfoil-verify.mjs': await bundle('command.ts', 'esm') };
mkdirSync(folder, { recursive: true });
for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
writeFileSync(
  join(folder, 'SHA256SUMS'),
  Object.entries(files)
    .map(([name, text]) => `${digest('sha256', text, 'hex')}  ${name}\n`)
    .join(''),
);
