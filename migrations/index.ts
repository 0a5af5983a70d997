import { readdirSync } from 'node:fs';
import { extname } from 'node:path';
import type { MigrationInterface } from 'typeorm';

type MigrationClass = new () => MigrationInterface;

/** Files of this folder that are no migrations, without their ending. */
const others = ['index', 'tables'];

/**
 * The migrations among these files, oldest first. A file is called `<milliseconds>-<what-it-does>` and exports one class of
 * the same name, `<WhatItDoes><milliseconds>`: the class's name is what a database remembers. Throws where one is called otherwise.
 */
export const migrationsOf = (
  files: readonly string[],
  ending: string,
  load: (file: string) => Readonly<Record<string, unknown>>,
): MigrationClass[] => {
  const taken = new Map<string, string>();
  return files
    .filter((file) => file.endsWith(ending) && !file.endsWith('.d.ts') && !others.includes(file.slice(0, -ending.length)))
    .sort()
    .map((file) => {
      const [, time, words] = /^(\d{13})-([a-z0-9]+(?:-[a-z0-9]+)*)$/.exec(file.slice(0, -ending.length)) ?? [];
      if (!time || !words)
        throw new Error(
          `migrations/${file} isn't called <13 digits>-<words-in-lower-case>, so its place in the order is unknown.`,
        );
      const other = taken.get(time);
      if (other) throw new Error(`migrations/${file} has the time of migrations/${other}: which is first?`);
      taken.set(time, file);
      const name = `${words.replace(/(?:^|-)(.)/g, (_, first: string) => first.toUpperCase())}${time}`;
      const exported = load(file);
      if (Object.keys(exported).join() !== name || typeof exported[name] !== 'function')
        throw new Error(`migrations/${file} has to export the class ${name} and nothing else.`);
      return exported[name] as MigrationClass;
    });
};

/** What this folder has, in the order in which it runs, on every engine. */
export const migrations = migrationsOf(readdirSync(__dirname), extname(__filename), (file) => require(`./${file}`));
