import { spawn } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';

/** Those that fill a heap, or a ticket with updates, until something gives way, and a crowd. */
const long = /^(12|18|22|60)-/;
const scripts = readdirSync(__dirname)
  .filter((name) => /^\d\d-.*\.mjs$/.test(name))
  .sort();

/** What an attack ends with: 0 where the gateway holds, 1 while the weakness exists, 2 where it couldn't tell. */
const outcomeOf = (name: string): Promise<{ code: number | null; said: string }> =>
  new Promise((resolve, reject) => {
    let said = '';
    const child = spawn(process.execPath, [join(__dirname, name)], { stdio: ['ignore', 'pipe', 'pipe'] });
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding('utf8').on('data', (text: string) => {
        said += text;
      });
    child.on('error', reject);
    child.on('close', (code) => resolve({ code, said }));
  });

const holds = async (name: string): Promise<void> => {
  const { code, said } = await outcomeOf(name);
  expect(`${said.trim()}\nended with ${code}`).toMatch(/(^|\n)HOLDS\nended with 0$/);
};

describe('in seconds', () => {
  for (const name of scripts.filter((each) => !long.test(each))) test(name, () => holds(name));
});

describe('in minutes', () => {
  for (const name of scripts.filter((each) => long.test(each))) test(name, () => holds(name));
});
