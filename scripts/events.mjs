// Writes the table of events into docs/audit.md, from the catalogue that the compiled gateway has.
import { readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';

const { catalogueTable } = createRequire(import.meta.url)('../dist/src/audit/events-table.js');
const file = new URL('../docs/audit.md', import.meta.url);
const page = readFileSync(file, 'utf8');
const table = /(<!-- events: [^>]*-->\n\n)[\s\S]*?(\n\n<!-- \/events -->)/;
if (!table.test(page)) throw new Error('docs/audit.md has no place for the table of events');
writeFileSync(
  file,
  page.replace(table, (_, begin, end) => begin + catalogueTable() + end),
);
