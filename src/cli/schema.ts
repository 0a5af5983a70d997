import { readFileSync, writeFileSync } from 'node:fs';
import { printGraph } from '../features/schema';
import { CommandFailed } from './report';

/** Differing lines that are shown, before a reader had better run a diff. */
const shownLines = 10;

/** The first lines in which the two differ, as a diff shows them; from the first to the last difference, cut. */
const firstDifference = (stored: readonly string[], wanted: readonly string[]) => {
  let start = 0;
  while (start < stored.length && start < wanted.length && stored[start] === wanted[start]) start += 1;
  let end = 0;
  while (end < stored.length - start && end < wanted.length - start && stored.at(-1 - end) === wanted.at(-1 - end)) end += 1;
  const removed = stored.slice(start, stored.length - end).map((line) => `- ${line}`);
  const added = wanted.slice(start, wanted.length - end).map((line) => `+ ${line}`);
  return { line: start + 1, removed, added };
};

/** `counterfoil schema check`. */
export const check = (file: string, json: boolean): void => {
  let stored: string;
  try {
    stored = readFileSync(file, 'utf8');
  } catch {
    throw new CommandFailed(`${file} can't be read. Write it with: counterfoil schema print --output ${file}`);
  }
  const wanted = printGraph();
  const same = stored === wanted;
  const difference = same ? null : firstDifference(stored.split('\n'), wanted.split('\n'));
  if (json) process.stdout.write(`${JSON.stringify({ ok: same, file, line: difference?.line ?? null })}\n`);
  if (!difference) {
    if (!json) process.stdout.write(`${file} is the graph as it is built.\n`);
    return;
  }
  const { line, removed, added } = difference;
  throw new CommandFailed(
    [
      `${file}:${line}: the file isn't the graph as it is built (- file, + graph):`,
      ...removed.slice(0, shownLines),
      ...added.slice(0, shownLines),
      ...(Math.max(removed.length, added.length) > shownLines ? ['…'] : []),
      `Review the change, then: counterfoil schema print --output ${file}`,
    ].join('\n'),
  );
};

/** `counterfoil schema print`. */
export const print = (output: string | undefined): void => {
  const text = printGraph();
  if (output === undefined) process.stdout.write(text);
  else writeFileSync(output, text);
};
