// Makes the console: what browsers load, each file under a name that has its digest, and compressed as it is sent.
//
//   node scripts/console.mjs [FOLDER]     dist/console unless told otherwise

import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { brotliCompressSync, constants, gzipSync } from 'node:zlib';
import { build } from 'rolldown';
import { inject, resolve } from '../console/verifier/bundle.mjs';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const app = join(root, 'console', 'app');
const folder = process.argv[2] ?? join(root, 'dist', 'console');

/** The pages, and the script that starts each. */
const pages = { index: 'main.tsx', frame: join('frame', 'main.tsx'), popup: join('frame', 'popup.ts') };
const entries = Object.entries(pages).filter(([, file]) => existsSync(join(app, file)));
/** Loaded by pages beside what they are made of, by themselves and under a name that stays: by others' pages, and by frames in Chatwoot's. */
const alone = { 'panel.js': join('element', 'panel.ts'), 'chatwoot.js': join('frame', 'chatwoot.ts') };

/** What an auditor reads of each event, out of the catalogue of the log itself: the console loads nothing else of the gateway. */
const eventReads = async () => {
  const { output } = await build({
    cwd: root,
    input: join(root, 'src', 'audit', 'events.ts'),
    tsconfig: join(root, 'console', 'tsconfig.json'),
    output: { format: 'esm' },
    write: false,
  });
  const { catalogue } = await import(`data:text/javascript,${encodeURIComponent(output[0].code)}`);
  return Object.fromEntries(Object.entries(catalogue).map(([name, { reads }]) => [name, reads]));
};

/** Each operation is a module of its own: in one they would all be loaded with the first screen, whoever asks them. */
const operationsFile = join(app, 'graph', 'operations.ts');
const isOperation = 'operation:';
const operations = Object.fromEntries(
  Array.from(
    readFileSync(operationsFile, 'utf8').matchAll(/export const (\w+) = operation<[^>]*>(\(.*?\));$/gms),
    ([, name, given]) => [
      `${isOperation}${name}`,
      `import { operation } from ${JSON.stringify(join(app, 'graph', 'operation.ts'))};\nexport const ${name} = operation${given};\n`,
    ],
  ),
);
const apart = {
  name: 'operations-apart',
  resolveId: (id) => (id.startsWith(isOperation) ? { id, moduleSideEffects: false } : null),
  load: (id) => {
    if (id !== operationsFile) return operations[id] ?? null;
    return {
      code: Object.keys(operations)
        .map((each) => `export * from '${each}';\n`)
        .join(''),
      moduleSideEffects: false,
    };
  },
};

/** The verifier’s own module: by itself, so that nothing of the console stands in it, and loaded where somebody wants a proof. */
const proof = await (async () => {
  const { output } = await build({
    cwd: root,
    platform: 'browser',
    input: join(root, 'console', 'verifier', 'proof.ts'),
    tsconfig: join(root, 'console', 'tsconfig.json'),
    resolve,
    transform: { target: 'es2022', inject },
    output: { format: 'esm', minify: true, comments: { legal: true, annotation: false, jsdoc: false } },
    write: false,
    onLog: (_level, log) => {
      throw new Error(log.message);
    },
  });
  if (output.length !== 1 || output[0].imports.length > 0) throw new Error('the proof isn’t one file by itself');
  const { code } = output[0];
  return { code, name: `proof-${createHash('sha256').update(code).digest('base64url').slice(0, 8)}.js` };
})();

const options = {
  external: [`/console/${proof.name}`],
  cwd: root,
  plugins: [apart],
  platform: 'browser',
  resolve: {
    alias: {
      // A parser and a printer of GraphQL, 3 kB compressed, for operations that were parsed when the console was made.
      '@0no-co/graphql.web': join(app, 'graph', 'documents.ts'),
      // For a React that lacks it.
      'use-sync-external-store/shim/index.js': 'react',
    },
  },
  tsconfig: join(root, 'console', 'tsconfig.json'),
  transform: {
    target: 'es2022',
    define: {
      'process.env.NODE_ENV': '"production"',
      EVENT_READS: JSON.stringify(JSON.stringify(await eventReads())),
      PROOF_MODULE: JSON.stringify(`/console/${proof.name}`),
    },
  },
  write: false,
  onLog: (_level, log) => {
    throw new Error(log.message);
  },
};

const { output } = await build({
  ...options,
  input: Object.fromEntries(entries.map(([name, file]) => [name, join(app, file)])),
  output: {
    format: 'esm',
    minify: true,
    entryFileNames: '[name]-[hash].js',
    chunkFileNames: '[name]-[hash].js',
    comments: { legal: true, annotation: false, jsdoc: false },
  },
});

/** What a page has beside what all have. The console has what all of its screens have. */
const ownSheets = { index: /./, frame: /^(frame|screens\/agent)\// };
const sheets = readdirSync(app, { recursive: true })
  .filter((name) => name.endsWith('.css'))
  // What all have comes first.
  .sort((a, b) => Number(b.startsWith('style')) - Number(a.startsWith('style')) || (a < b ? -1 : 1));
const styleOf = (page) => {
  const own = sheets.filter((name) => name.startsWith('style') || ownSheets[page]?.test(name));
  const text = own
    .map((name) => readFileSync(join(app, name), 'utf8'))
    .join('\n')
    .replace(/\s*\n\s*/g, ' ')
    .replace(/\s*([{};])\s*/g, '$1');
  return { name: `style-${createHash('sha256').update(text).digest('base64url').slice(0, 8)}.css`, text };
};

const files = { 'icon.svg': readFileSync(join(app, 'icon.svg'), 'utf8') };
files[proof.name] = proof.code;
for (const chunk of output) files[chunk.fileName] = chunk.code;

for (const [name, file] of Object.entries(alone)) {
  const { output: made } = await build({ ...options, input: join(app, file), output: { format: 'iife', minify: true } });
  files[name] = made[0].code;
}

/** What a page needs at once, so that the browser asks for all of it together. */
const needed = (fileName, into = new Set()) => {
  for (const each of output.find((chunk) => chunk.fileName === fileName).imports)
    if (!into.has(each)) needed(each, into.add(each));
  return into;
};

for (const [name] of entries) {
  const { fileName } = output.find((chunk) => chunk.isEntry && chunk.name === name);
  const style = styleOf(name);
  files[style.name] = style.text;
  const preloads = [...needed(fileName)].map((each) => `<link rel="modulepreload" href="/console/${each}">\n`).join('');
  files[`${name}.html`] = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Counterfoil</title>
<link rel="icon" href="/console/icon.svg">
<link rel="stylesheet" href="/console/${style.name}">
${preloads}<script type="module" src="/console/${fileName}"></script>
</head>
<body>
<div id="app"></div>
<noscript>This page needs JavaScript. Customers’ pages don’t.</noscript>
</body>
</html>
`;
}

rmSync(folder, { recursive: true, force: true });
mkdirSync(folder, { recursive: true });
for (const [name, text] of Object.entries(files)) {
  const bytes = Buffer.from(text);
  writeFileSync(join(folder, name), bytes);
  writeFileSync(join(folder, `${name}.gz`), gzipSync(bytes, { level: 9 }));
  writeFileSync(
    join(folder, `${name}.br`),
    brotliCompressSync(bytes, { params: { [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length } }),
  );
}
// What each page loads at once, and what each screen loads beside its page.
const chunkOf = (name) => output.find((chunk) => chunk.isEntry && chunk.name === name).fileName;
const atOnce = Object.fromEntries(
  entries.map(([name]) => [name, [`${name}.html`, styleOf(name).name, chunkOf(name), ...needed(chunkOf(name))]]),
);
const screens = output.filter((chunk) => chunk.isDynamicEntry);
const beside = Object.fromEntries(
  screens.map(({ facadeModuleId, fileName }) => [
    relative(app, facadeModuleId),
    [fileName, ...needed(fileName)].filter((each) => !atOnce.index.includes(each)),
  ]),
);
writeFileSync(join(folder, 'loads.json'), JSON.stringify({ pages: atOnce, screens: beside, proof: proof.name }, null, 2));
/** The module of each screen, by its place, as `screens.ts` says. */
const moduleOf = new Map(
  [...readFileSync(join(app, 'screens.ts'), 'utf8').matchAll(/place: '(\w+)'[^}]*?import\('\.\/([^']+)'\)/g)].map(
    ([, place, file]) => [place, `${file}.tsx`],
  ),
);
// Which addresses are pages of the console, and what each loads beside what all do.
const places = Object.entries(JSON.parse(readFileSync(join(app, 'paths.json'), 'utf8')));
const addresses = places.map(([place, path]) => {
  const loads = beside[moduleOf.get(place)];
  // The first address leads to one of the others.
  if (!loads && place !== 'home') throw new Error(`screens.ts doesn’t say in the usual form what is loaded for ${place}`);
  return { path, loads: loads ?? [] };
});
writeFileSync(join(folder, 'addresses.json'), JSON.stringify(addresses, null, 2));
