import { readFileSync } from 'node:fs';

const english = readFileSync('src/authz/policy/declines.ts', 'utf8');
const german = readFileSync('console/app/screens/agent/decline.de.tsx', 'utf8');

/** The codes of a table, by what it is called in the file. */
const codesOf = (file: string, table: string): readonly string[] => {
  const [, body] = new RegExp(`const ${table}: Readonly<Record<string, \\w+>> = \\{\\n(.*?)\\n\\};`, 's').exec(file) ?? [];
  return Array.from(body?.matchAll(/^ {2}(\w+):/gm) ?? [], ([, code = '']) => code).sort();
};

// A code with words of its own in one language alone would tell there what it doesn't tell in the other.
it.each(['meanings', 'advices'])('declines have the same %s in German as in English', (table) => {
  expect(codesOf(english, table).length).toBeGreaterThan(10);
  expect(codesOf(german, table)).toEqual(codesOf(english, table));
});
