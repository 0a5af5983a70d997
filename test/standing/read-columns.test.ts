import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { getMetadataArgsStorage } from 'typeorm';
import { PaymentMethod, Transaction } from '../../src/features/payments/payment.entity';
import { root } from '../support/readme';

const whole = readdirSync(join(root, 'src'), { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.ts') && !name.endsWith('.test.ts'))
  .map((name) => readFileSync(join(root, 'src', name), 'utf8'))
  .join('\n');

/** Properties of an entity that statements read: `table.column`, `table.pick('column')`, `const { column } = table`, by any name of the table. */
const readOf = (entity: string): ReadonlySet<string> => {
  const names = new Set([...whole.matchAll(new RegExp(`const (\\w+) = table\\(${entity}\\)`, 'g'))].map(([, name]) => name));
  for (const name of names)
    for (const [, alias] of whole.matchAll(new RegExp(`const (\\w+) = ${name}(?:\\.as\\('\\w+'\\))?;`, 'g'))) names.add(alias);
  const any = `\\b(?:${[...names].join('|')})`;
  const single = [...whole.matchAll(new RegExp(`${any}\\.(\\w+)`, 'g'))].map(([, column]) => column as string);
  const lists = [
    ...whole.matchAll(new RegExp(`${any}\\s*\\.pick\\(([^)]*)\\)`, 'g')),
    ...whole.matchAll(new RegExp(`const \\{([^}]*)\\} = ${any};`, 'g')),
  ];
  return new Set([...single, ...lists.flatMap(([, list = '']) => list.match(/\w+/g) ?? [])]);
};

describe('what is stored of payments', () => {
  it('is read by somebody, column by column: the gateway keeps nothing for nobody', () => {
    const { columns } = getMetadataArgsStorage();
    const unread = [PaymentMethod, Transaction].flatMap((entity) => {
      const read = readOf(entity.name);
      const all = columns.filter(({ target }) => target === entity).map(({ propertyName }) => propertyName);
      expect(all.length).toBeGreaterThan(10);
      return all.filter((property) => !read.has(property)).map((property) => `${entity.name}.${property}`);
    });
    // When a row was seen last, for whoever looks into the database.
    expect(unread).toEqual(['PaymentMethod.observedAt', 'Transaction.observedAt']);
  });
});
