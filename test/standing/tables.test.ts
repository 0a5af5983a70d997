import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { getMetadataArgsStorage } from 'typeorm';
import { entities } from '../../src/features/entities';
import { root } from '../support/readme';

interface Entity {
  readonly name: string;
  readonly table: string;
  readonly file: string;
}

const withoutComments = (text: string): string => text.replace(/\/\*[\s\S]*?\*\/|(?<=^|\s)\/\/.*$/gm, '');

const entitiesOf = (code: ReadonlyMap<string, string>): readonly Entity[] =>
  [...code].flatMap(([file, text]) =>
    [...text.matchAll(/@Entity\('(\w+)'\)[\s\S]*?\bclass (\w+)/g)].map(
      ([, table, name]): Entity => ({ table: table as string, name: name as string, file }),
    ),
  );

/** Which files of a tree touch a table that isn't theirs, each as `file: table`. */
const trespasses = (files: ReadonlyMap<string, string>): string[] => {
  const code = new Map([...files].map(([file, text]) => [file, withoutComments(text)]));
  const entities = entitiesOf(code);
  const byName = new Map(entities.map((entity) => [entity.name, entity]));
  const names = new Map([...code].map(([file, text]) => [file, namesIn(file, text, code)]));

  /** The entity that a name in a file is: itself, its table, or its table under an alias; undefined for anything else. */
  const entityOf = (file: string, name: string, seen: ReadonlySet<string> = new Set()): Entity | undefined => {
    const known = names.get(file)?.get(name);
    const place = `${file} ${name}`;
    if (!known || seen.has(place)) return undefined;
    if (known.is === 'class') return byName.get(name)?.file === file ? byName.get(name) : undefined;
    return entityOf(known.file, known.name, new Set([...seen, place]));
  };

  return [...code].flatMap(([file, text]) => {
    const touched: (Entity | undefined)[] = entities.filter(({ table }) =>
      new RegExp(`\\b(?:FROM|JOIN|INTO|UPDATE)\\s+${table}\\b`).test(text),
    );
    const mayTouch = [
      // Whoever calls this spells its columns.
      ...text.matchAll(/(?<![.\w])table\(\s*(\w+)/g),
      ...text.matchAll(/\.(?:lock|lockIfAny)\(\s*(\w+)/g),
      ...text.matchAll(/\b(?:INSERT INTO|UPDATE|DELETE FROM)\s+\$\{(\w+)\}/g),
      // What is saved was locked, or made of its class.
      ...text.matchAll(/\bnew (\w+)\(/g),
      // An outbox writes what it is handed.
      ...text.matchAll(/(?<![.\w])jobTable\(\s*(\w+)/g),
    ];
    touched.push(...mayTouch.map(([, name = '']) => entityOf(file, name)));
    const writes = [
      ...text.matchAll(/\b(?:change|commit|database)\.(?:insert|update|remove|bookkeep|bookkeeping)\(\s*([\w.]+)/g),
    ];
    const written = writes.map(([, name = '']) => ({ name, entity: entityOf(file, name) }));
    touched.push(...written.map(({ entity }) => entity));
    const others = new Set(touched.flatMap((entity) => (entity && !isOwner(file, entity.file) ? entity.table : [])));
    // A table that comes by a name which says nothing of whose it is.
    for (const { name, entity } of written) if (!entity && !isHanded(file, name)) others.add(`what is ${name}?`);
    return [...others].map((table) => `${file}: ${table}`);
  });
};

/** The log is appended below the features and put in order above the database: its tables are one owner's. */
const log = ['src/db', 'src/ledger'];
const isOwner = (file: string, entityFile: string): boolean => {
  const folders = log.includes(dirname(entityFile)) ? log : [dirname(entityFile)];
  return folders.some((folder) => file.startsWith(`${folder}/`));
};

/** Writes the table that its owner hands it by `jobTable`, and of that what `db/bookkeeping` lists. */
const isHanded = (file: string, name: string): boolean => file === 'src/background/outbox.ts' && name === 'job';

type Known = { readonly is: 'class' } | { readonly is: 'another'; readonly file: string; readonly name: string };

/** What the names of a file are that may be an entity or its table: classes, imports, `table(…)`, `….as(…)`, plain copies. */
const namesIn = (file: string, text: string, all: ReadonlyMap<string, string>): ReadonlyMap<string, Known> => {
  const names = new Map<string, Known>();
  for (const [, list = '', from = ''] of text.matchAll(/\bimport\s+(?:type\s+)?\{([^}]*)\}\s+from\s+'(\.[^']*)'/g)) {
    const path = `${normalize(join(dirname(file), from))}.ts`;
    if (!all.has(path)) continue;
    for (const each of list.split(',')) {
      const [, name, alias] = /^\s*(?:type\s+)?(\w+)(?:\s+as\s+(\w+))?\s*$/.exec(each) ?? [];
      if (name) names.set(alias ?? name, { is: 'another', file: path, name });
    }
  }
  for (const [, name = ''] of text.matchAll(/\bclass (\w+)/g)) names.set(name, { is: 'class' });
  for (const [, name = '', of = ''] of text.matchAll(/\bconst (\w+)(?::[^=]+)? = (?:table\()?(\w+)(?:\)|\.as\('\w+'\))?;/g))
    if (name !== of) names.set(name, { is: 'another', file, name: of });
  return names;
};

const sources = new Map(
  readdirSync(join(root, 'src'), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts') && !name.endsWith('.test.ts'))
    .map((name) => join('src', name))
    .sort()
    .map((file) => [file, readFileSync(join(root, file), 'utf8')]),
);

describe('a table', () => {
  it('of each entity is looked for', () => {
    const found = entitiesOf(sources).map(({ table }) => table);
    const { tables } = getMetadataArgsStorage();
    expect(found.sort()).toEqual(entities.map((entity) => tables.find(({ target }) => target === entity)?.name).sort());
  });

  it('is written and spelled by its owner alone; others read what the owner exports', () => {
    expect(trespasses(sources)).toEqual([]);
  });

  const owner = {
    'src/features/boats/boat.entity.ts': `@Entity('boat')\nexport class Boat {\n}\nexport const boats = table(Boat);`,
    'src/features/boats/boats.rows.ts': `import { boats } from './boat.entity';\nexport const boat = boats.as('b');`,
    'src/features/boats/sell/sales.service.ts': `import { boats } from '../boat.entity';\nchange.update(boats, {}, sql\`1 = 1\`);`,
  };
  const from = (names: string, file = 'boat.entity') => `import { ${names} } from '../boats/${file}';\n`;

  it.each([
    ['is inserted into', `${from('boats')}await change.insert(boats, {});`],
    ['is written by another name', `${from('boats as vessels')}await change.update(vessels, {}, isOld);`],
    ['is written under its alias', `${from('boat', 'boats.rows')}await change.remove(\n  boat,\n  isOld);`],
    ['is written under an alias made elsewhere', `${from('boats')}const b = boats.as('x');\nchange.bookkeep(b, {}, isOld);`],
    ['has its bookkeeping written', `${from('boats')}database.bookkeeping(boats, (books) => books.update({}, isOld));`],
    ['is locked to be saved', `${from('Boat')}const boat = await change.lock(Boat, { id });`],
    ['is locked where there is one', `${from('Boat')}const boat = await change.lockIfAny(Boat, { id });`],
    ['has a row made to be saved', `${from('Boat')}await change.save(new Boat());`],
    ['has its columns spelled again', `${from('Boat')}const mine = table(Boat);`],
    ['is handed to an outbox', `${from('boats')}const jobs = jobTable(boats, { subject: 'harbourId' });`],
    ['is handed to an outbox under its alias', `${from('boat', 'boats.rows')}export const jobs = jobTable(\n  boat,\n);`],
    ['is read in SQL of one’s own', 'database.query(`SELECT * FROM cabin c\n  LEFT JOIN boat b ON b.id = c.boat_id`);'],
    ['is inserted into in SQL', "change.execute('INSERT INTO boat (id) VALUES (?)', [id]);"],
    ['is updated in SQL', "change.execute('UPDATE boat SET id = 1');"],
    ['is deleted from in SQL that doesn’t spell it', `${from('boats')}const all = sql\`DELETE FROM \${boats}\`;`],
    ['is deleted from in SQL', "change.execute('DELETE FROM boat');"],
  ])('that %s by somebody else is found', (_, text) => {
    const file = 'src/features/harbours/harbours.service.ts';
    expect(trespasses(new Map(Object.entries({ ...owner, [file]: text })))).toEqual([`${file}: boat`]);
  });

  it('that is given to a helper which writes whatever it gets is found as what nobody knows', () => {
    const file = 'src/features/boats/boats.service.ts';
    const text = 'const put = <E>(change: Change, of: Table<E>) => change.insert(of, []);';
    expect(trespasses(new Map(Object.entries({ ...owner, [file]: text })))).toEqual([`${file}: what is of?`]);
  });

  it('that an outbox is handed may be written by it under that name alone', () => {
    const text = 'change.bookkeep(job, {}, isOld);';
    const other = 'change.bookkeep(boat, {}, isOld);';
    expect(trespasses(new Map([['src/background/outbox.ts', text]]))).toEqual([]);
    expect(trespasses(new Map([['src/background/outbox.ts', other]]))).toEqual(['src/background/outbox.ts: what is boat?']);
    expect(trespasses(new Map([['src/background/loop.ts', text]]))).toEqual(['src/background/loop.ts: what is job?']);
  });

  it('may be read by everybody through what its owner exports, and named in a comment', () => {
    const text = `${from('boat', 'boats.rows')}// SELECT … FROM boat\nconst ids = select({ id: boat.id }, sql\`FROM \${boat}\`);`;
    const tree = { ...owner, 'src/features/harbours/harbours.rows.ts': text };
    expect(trespasses(new Map(Object.entries(tree)))).toEqual([]);
  });
});
