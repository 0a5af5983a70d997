import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { documentsIn, printable } from './operations-manifest';
import { CommandFailed } from './report';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'counterfoil-manifests-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

const file = (name: string, content: string | Buffer | object): string => {
  const path = join(folder, name);
  writeFileSync(path, typeof content === 'string' || Buffer.isBuffer(content) ? content : JSON.stringify(content));
  return path;
};
const read = (name: string, content: string | Buffer | object) =>
  documentsIn([file(name, content)]).map(({ from: _, ...each }) => each);
const refusal = (name: string, content: string | Buffer | object): string => {
  try {
    documentsIn([file(name, content)]);
  } catch (error) {
    if (error instanceof CommandFailed) return error.message.replace(`${folder}/`, '');
    throw error;
  }
  return 'taken';
};

const text = 'query Viewer {\n  viewer {\n    id\n  }\n}';
const id = createHash('sha256').update(text).digest('hex');
const operation = { id, name: 'Viewer', type: 'query', body: text };
const apollo = (...operations: object[]) => ({ format: 'apollo-persisted-query-manifest', version: 1, operations });

describe('a manifest', () => {
  it('of Apollo’s tools has a name and a kind for each text', () => {
    const expected = [{ id, name: 'Viewer', type: 'query', text }];
    expect(read('a.json', apollo(operation))).toEqual(expected);
    expect(read('a.json', apollo({ ...operation, clientName: null, more: 1 }))).toEqual(expected);
    expect(read('a.json', `\uFEFF${JSON.stringify(apollo(operation))}`)).toEqual(expected);
  });

  it('in Apollo’s format by id, as other tools write it, is the same', () => {
    const { id: _, ...rest } = operation;
    const byId = { format: 'apollo-persisted-query-manifest', version: 1, operations: { [`sha256:${id}`]: rest } };
    expect(read('a.json', byId)).toEqual([{ id: `sha256:${id}`, name: 'Viewer', type: 'query', text }]);
  });

  it('of graphql-codegen’s client preset is a map from hashes to texts', () => {
    expect(read('persisted-documents.json', { [id]: text })).toEqual([{ id, name: null, type: null, text }]);
  });

  it('may be a document itself, to the byte', () => {
    for (const content of [text, `${text}\n`, `\uFEFF${text}\r\n`, `# é 😀\n${text}`])
      for (const name of ['q.graphql', 'q.gql', 'Q.GraphQL'])
        expect(read(name, content)).toEqual([{ id: null, name: null, type: null, text: content }]);
  });

  it('is named with its operation where something is said about it, without what a terminal would obey', () => {
    const [named] = documentsIn([file('m.json', apollo({ ...operation, name: '\u001b[2JViewer\u202e' }))]);
    expect(named?.from).toBe(`${folder}/m.json:  [2JViewer `);
    expect(documentsIn([file('m.json', { ['x'.repeat(5_000)]: text })])[0]?.from.length).toBeLessThan(folder.length + 100);
    expect(printable('a\nb\u0007c\u2028d')).toBe('a b c d');
  });

  const forms = /expected a manifest of Apollo’s .*graphql-codegen.*\.graphql or \.gql$/;
  it.each<[string, string, string | Buffer | object, RegExp]>([
    ['what isn’t JSON', 'm.json', '{', /^m\.json: expected JSON$/],
    ['what isn’t UTF-8', 'q.graphql', Buffer.from([0x7b, 0xff, 0x7d]), /^q\.graphql: expected UTF-8$/],
    ['another file', 'queries.ts', text, forms],
    ['a list', 'm.json', [text], forms],
    ['a text', 'm.json', '"x"', forms],
    ['null', 'm.json', 'null', forms],
    ['a map to something else', 'm.json', { [id]: { text } }, /expected/],
    ['another format', 'm.json', { ...apollo(operation), format: 'relay' }, /^m\.json: format: /],
    ['another version', 'm.json', { ...apollo(operation), version: 2 }, /^m\.json: version: /],
    ['an operation without a text', 'm.json', apollo({ id, name: 'Viewer', type: 'query' }), /^m\.json: /],
    ['an operation for one client', 'm.json', apollo({ ...operation, clientName: 'sidebar' }), /^m\.json: /],
    ['nothing', 'm.json', apollo(), /^m\.json: expected operations, found none$/],
    ['a file that is too large', 'q.graphql', ' '.repeat(4 * 1_024 * 1_024 + 1), /^q\.graphql: expected at most 4 MiB$/],
  ])('isn’t %s', (_, name, content, why) => {
    expect(refusal(name, content)).toMatch(why);
  });

  it('that can’t be read is named, and so is each other that can’t', () => {
    expect(() => documentsIn([join(folder, 'none.json'), file('m.json', '{'), file('q.graphql', text), folder])).toThrow(
      new RegExp(`^${folder}/none\\.json: can’t be read \\(ENOENT\\)\n${folder}/m\\.json: expected JSON\n${folder}: `),
    );
  });
});
