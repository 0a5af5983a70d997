import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { root } from './readme';

/** The text of files by their paths from the root. */
export type Files = ReadonlyMap<string, string>;

/** TypeScript in a folder of the repository, sorted. */
export const filesUnder = (folder: string): string[] =>
  readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .map((name) => join(folder, name))
    .sort();

export const textOf = (file: string): string => readFileSync(join(root, file), 'utf8');

/** What is served: `src` without the tests that stand beside their files. */
export const servedFiles = (): Files =>
  new Map(
    filesUnder('src')
      .filter((file) => !file.endsWith('.test.ts'))
      .map((file) => [file, textOf(file)]),
  );

/** Modules of ours that a file loads or names, as paths from the root without their ending; from import, export, require and import(). */
export const importsIn = (file: string, text: string): string[] =>
  [...text.matchAll(/(?:\bfrom\s+|\bimport\s+|\bimport\(\s*|\brequire\(\s*)'(\.{1,2}\/[^']*|\.{1,2})'/g)].map(([, specifier]) =>
    normalize(join(dirname(file), specifier as string)),
  );

/** A text without its comments: what is said there is no code. */
export const withoutComments = (text: string): string => text.replace(/\/\*[\s\S]*?\*\/|(?<=^|\s)\/\/.*$/gm, '');

/** Nodes of a graph that lead back to themselves by way of others, each group sorted. */
export const circlesIn = (graph: ReadonlyMap<string, ReadonlySet<string>>): string[][] => {
  const order = new Map<string, number>();
  const lowest = new Map<string, number>();
  const stack: string[] = [];
  const circles: string[][] = [];
  const visit = (node: string): void => {
    order.set(node, order.size);
    lowest.set(node, order.get(node) as number);
    stack.push(node);
    for (const next of graph.get(node) ?? []) {
      if (!order.has(next)) visit(next);
      if (stack.includes(next)) lowest.set(node, Math.min(lowest.get(node) as number, lowest.get(next) as number));
    }
    if (lowest.get(node) !== order.get(node)) return;
    const group = stack.splice(stack.indexOf(node));
    if (group.length > 1) circles.push(group.sort());
  };
  for (const node of graph.keys()) if (!order.has(node)) visit(node);
  return circles.sort();
};
