import { readFileSync } from 'node:fs';
import type { GraphQLAnswer, TestApp } from './app';

/** An answer's data and, of each error, its path, code and reason: what a caller acts on. */
export const told = ({ data, errors = [] }: GraphQLAnswer) => ({
  data,
  errors: errors.map(({ path, extensions }) =>
    [path?.join('.') ?? '', extensions.code, extensions.reason ?? extensions.argument].filter((part) => part !== undefined),
  ),
});

/** The policy file of the repository with some of its text replaced. Throws when the text isn't there. */
export const policyWith = (...replacements: readonly (readonly [string, string])[]): string =>
  replacements.reduce(
    (text, [from, to]) => {
      if (!text.includes(from)) throw new Error(`the policy file has no ${JSON.stringify(from)}`);
      return text.replace(from, to);
    },
    readFileSync('schema/exposure.yaml', 'utf8'),
  );

export const ticketIdOf = async ({ app }: TestApp, reference: string): Promise<string> => {
  const [row] = await app.database.query<{ id: string }>('SELECT id FROM helpdesk_ticket WHERE reference = ?', [reference]);
  if (!row) throw new Error('no such ticket is stored');
  return row.id;
};

export const countOf = async (
  { app }: TestApp,
  table: string,
  condition = '1 = 1',
  ...parameters: unknown[]
): Promise<number> => {
  const [row] = await app.database.query<{ n: number }>(`SELECT COUNT(*) AS n FROM ${table} WHERE ${condition}`, parameters);
  return Number(row?.n);
};

/** The audit events that some work leaves. Found by their ids: under a clock that stands still nothing else tells what is new. */
export const eventsOf = async (test: TestApp, work: () => Promise<unknown>): Promise<Record<string, unknown>[]> => {
  const before = new Set((await test.events()).map(({ id }) => id));
  await work();
  return (await test.events()).filter(({ id }) => !before.has(id));
};
