import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join, relative, sep } from 'node:path';
import { BuiltGateway } from '../support/built';

/** A package's file, or one of the compiler's output without its ending. What a stand-in stands for isn't loaded. */
const note = `process.on('exit', () => {
  const { isProxy } = require('node:util').types;
  const loaded = Object.entries(require.cache).filter(([, { exports }]) => !isProxy(exports)).map(([path]) => path);
  require('node:fs').writeFileSync(process.env.LOADED, JSON.stringify(loaded));
});`;

/** What a gateway with the demo merchant in its embedded database has no use for until somebody asks for it, and what for. */
const later: readonly (readonly [path: RegExp, why: string])[] = [
  [/^node_modules\/stripe\//, 'a Stripe account'],
  [/^src\/upstream\/(?:payments\/stripe\/stripe\.connector|helpdesk\/rt\/rt\.connector)/, 'a configured source'],
  [/^node_modules\/nodemailer\//, 'a mail server'],
  [/^src\/upstream\/delivery\/smtp\/smtp\.mail/, 'a mail server'],
  [/^node_modules\/mysql2\//, 'MariaDB'],
  [/^src\/db\/(?:server-pool|prepared-reads)/, 'MariaDB'],
  [/^node_modules\/undici\//, 'a proxy'],
  [/^src\/features\/webhooks\/(?:telling|delivering|following|posting|signing)/, 'an endpoint of webhooks'],
  [/^node_modules\/typeorm\/index\.js/, 'all that TypeORM can do'],
  [/^node_modules\/jose\/dist\/webapi\/index\.js/, 'encrypted tokens'],
  [/^node_modules\/typeorm\/driver\/(?!better-sqlite3\/)[\w-]+\/(?!Abstract)\w+Driver\.js/, 'another database'],
  [/^node_modules\/typeorm\/(?:error|persistence|schema-builder\/table)\//, 'faults, and what TypeORM writes by itself'],
  [/^node_modules\/graphql\/utilities\/(?:build|concat|extend|find|lexicographic|separate|strip)/, 'tools for graphs'],
  [/^node_modules\/(?:@sqltools|sql-highlight|tinyglobby|debug)\//, 'what TypeORM logs, and entities found in folders'],
  [/^node_modules\/(?:yup|lodash)\//, 'rules of arguments'],
  [/(?:^|\/)node_modules\/@graphql-tools\//, 'a graph of text'],
  [/^node_modules\/@graphql-yoga\/subscription\//, 'subscriptions'],
  [/^node_modules\/@graphql-yoga\/render-graphiql\//, 'the explorer’s page'],
  [
    /^node_modules\/(?:ajv|fast-json-stringify\/(?!lib\/serializer)|@fastify\/(?:ajv-compiler|fast-json-stringify-compiler))\//,
    'schemas of routes',
  ],
  [/^node_modules\/@apollo\/(?:usage-reporting-protobuf|protobufjs)\//, 'traces for Apollo'],
  [/^node_modules\/@opentelemetry\//, 'exemplars'],
  [
    /^node_modules\/(?:prom-client\/lib\/(?:cluster|pushgateway|summary)|tdigest\/|pino\/lib\/(?:multistream|transport)|thread-stream)/,
    'other processes and threads',
  ],
  [/^node_modules\/zod\/v4\/locales\/(?!en\.|index\.)/, 'messages in other languages'],
  [/^src\/http\/confirm\/page/, 'a customer’s page'],
  [/^src\/cli\/(?:doctor|audit-|policy|redact|schema|migrate|token)/, 'a command'],
  [/^src\/audit\/verify/, 'an export to verify'],
];

/** Modules of a start. Each is found, read and compiled: a hundred of them take some 30 ms of processor time. */
const most = 1_470;

let built: BuiltGateway;
let loaded: string[];
const file = (name: string) => join(built.folder, name);
const environment = () => ({ DATA_DIR: 'data', NODE_OPTIONS: `--require ${file('note.js')}`, LOADED: file('loaded.json') });

const stop = async ({ child, finished }: ReturnType<BuiltGateway['start']>): Promise<void> => {
  child.kill('SIGTERM');
  expect((await finished).code).toBe(0);
};

beforeAll(async () => {
  built = BuiltGateway.make();
  writeFileSync(file('note.js'), note);
  const first = built.start({ DATA_DIR: 'data' });
  await first.said(/Started in /);
  await stop(first);
  const second = built.start(environment());
  const [, address] = await second.said(/(http:\/\/127\.0\.0\.1:\d+)\/readyz/);
  const { stdout: token } = await built.run(['token', '--user', 'ana'], { DATA_DIR: 'data' });
  const answer = await fetch(`${address}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${token.trim()}` },
    body: JSON.stringify({
      query: '{ ticketByReference(source: "demo", reference: "1001") { customer { email paymentMethods { last4 } } } }',
    }),
  });
  expect({ status: answer.status, errors: ((await answer.json()) as { errors?: unknown }).errors }).toEqual({ status: 200 });
  await stop(second);
  loaded = (JSON.parse(readFileSync(file('loaded.json'), 'utf8')) as string[]).map((path) => {
    const inPackage = path.indexOf(`${sep}node_modules${sep}`);
    return (inPackage < 0 ? relative(built.output, path) : path.slice(inPackage + 1)).split(sep).join('/');
  });
}, 240_000);
afterAll(() => built.remove());

describe('a start with the demo merchant in its database, until a ticket is answered', () => {
  it('has loaded what it answers with', () => {
    expect(loaded).toEqual(
      expect.arrayContaining([
        'src/app.js',
        'src/http/server.js',
        'node_modules/graphql-shield/cjs/index.js',
        'node_modules/typeorm/driver/better-sqlite3/BetterSqlite3Driver.js',
      ]),
    );
  });

  it.each(later.map(([path, why]) => [why, path] as const))('loads nothing that is for %s (%s)', (_why, path) => {
    expect(loaded.filter((each) => path.test(each))).toEqual([]);
  });

  it(`is of ${most} modules at most`, () => {
    expect(loaded.length).toBeLessThanOrEqual(most);
  });
});

describe('what is left for later', () => {
  it('is there when it is read', () => {
    const script = `require('reflect-metadata'); require(${JSON.stringify(join(built.output, 'src', 'deferred.js'))});
const { isProxy } = require('node:util').types;
const standIns = Object.entries(require.cache).filter(([, { exports }]) => isProxy(exports)).map(([path, { exports }]) => [path, exports]);
// One is no ES module, and of it a part is read from its own file.
const isPlain = (path) => /node_modules.semver.index/.test(path);
console.log(JSON.stringify(standIns.map(([path, each]) => ({
  says: each.__esModule === (isPlain(path) ? undefined : true), keys: Reflect.ownKeys(each).filter((name) => name !== '__esModule').length, first: Object.keys(each).every((name) => name in each && each[name] === Reflect.get(each, name)) }))));`;
    const found = JSON.parse(execFileSync(process.execPath, ['-e', script], { encoding: 'utf8' })) as {
      keys: number;
      says: boolean;
      first: boolean;
    }[];
    expect(found.length).toBeGreaterThanOrEqual(24);
    for (const each of found) expect(each).toEqual({ keys: expect.any(Number), says: true, first: true });
    expect(found.filter(({ keys }) => keys === 0)).toEqual([]);
  });
});
