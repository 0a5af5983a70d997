import { createHash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Database } from '../../src/db/database';
import { operationsMemory } from '../../src/features/operations/operations.service';
import { tamper } from '../support/audit-log';
import { BuiltGateway, type Running } from '../support/built';
import { databaseParts, engine, migratedLocation, type Place } from '../support/database';
import { urlOf } from '../support/database-url';

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');

const ticket =
  'query Ticket($reference: String!) {\n  ticketByReference(source: "demo", reference: $reference) {\n    subject\n  }\n}';
const viewer = 'query Viewer { viewer { roles } }\n';
const teams = '{ viewer { teams } }';
const manifest = (...operations: object[]) => ({ format: 'apollo-persisted-query-manifest', version: 1, operations });
const operation = { id: sha256(ticket), name: 'Ticket', type: 'query', body: ticket };

/** The built gateway on the engine under test, as the command line meets it. */
describe(`counterfoil operations, on ${engine}`, () => {
  let built: BuiltGateway;
  let place: Place;
  let gateway: Running;
  let address: string;
  let environment: Record<string, string>;
  const run = (...args: string[]) => built.run(['operations', ...args], environment);
  const json = async (...args: string[]) => {
    const { code, stdout, stderr } = await run(...args, '--json');
    if (code !== 0) throw new Error(stderr);
    return JSON.parse(stdout);
  };
  const file = (name: string, content: string | object): string => {
    writeFileSync(join(built.folder, name), typeof content === 'string' ? content : JSON.stringify(content));
    return name;
  };
  const start = async (): Promise<void> => {
    gateway = built.start(environment);
    [, address = ''] = await gateway.said(/(http:\/\/127\.0\.0\.1:\d+)\/graphql/);
    await gateway.said(/Started in /);
  };
  const stop = async (): Promise<void> => {
    gateway.child.kill('SIGTERM');
    await gateway.finished;
  };
  const ask = async (body: object, client?: string): Promise<{ data?: unknown; errors?: { extensions: { code: string } }[] }> => {
    const of = client === undefined ? [] : ['--client', client];
    const { stdout } = await built.run(['token', '--user', 'ana', ...of], environment);
    const response = await fetch(`${address}/graphql`, {
      method: 'POST',
      headers: { authorization: `Bearer ${stdout.trim()}`, 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
    return (await response.json()) as Awaited<ReturnType<typeof ask>>;
  };
  const codesOf = async (body: object, client?: string) =>
    (await ask(body, client)).errors?.map(({ extensions }) => extensions.code);
  /** Until every gateway has to know. */
  const pause = () => new Promise((resolve) => setTimeout(resolve, engine === 'mariadb' ? operationsMemory + 100 : 0));

  beforeAll(async () => {
    built = BuiltGateway.make();
    place = await migratedLocation();
    file(
      'counterfoil.yaml',
      `sources:
  helpdesk: [{ kind: demo, name: demo }]
  payments: [{ kind: demo, name: demo-pay, helpdesk: demo }]
operations: { registeredOnly: [sidebar] }
`,
    );
    environment = {
      DATABASE_URL: urlOf(place.location),
      DATA_DIR: join(built.folder, 'data'),
      CONFIG_FILE: join(built.folder, 'counterfoil.yaml'),
      // A server of tests may lose what it acknowledged, which each command would say.
      LOG_LEVEL: 'error',
    };
    await start();
  }, 240_000);
  afterAll(async () => {
    await built.remove();
    await place.remove();
  });

  it('registers beside a running gateway, which answers by hash within five seconds', async () => {
    expect(await codesOf({ documentId: sha256(viewer) })).toEqual(['PERSISTED_QUERY_NOT_FOUND']);
    const files = [file('manifest.json', manifest(operation)), file('viewer.graphql', viewer)];
    expect(await json('register', ...files)).toEqual({ registered: [sha256(ticket), sha256(viewer)], unchanged: [] });
    await pause();
    for (const client of [undefined, 'sidebar']) {
      expect(await ask({ documentId: `sha256:${sha256(viewer)}` }, client)).toEqual({ data: { viewer: { roles: ['AGENT'] } } });
      const extensions = { persistedQuery: { version: 1, sha256Hash: sha256(ticket) } };
      expect(await ask({ extensions, variables: { reference: '1001' } }, client)).toEqual({
        data: { ticketByReference: { subject: expect.any(String) } },
      });
    }
    expect(await json('register', ...files)).toEqual({ registered: [], unchanged: [sha256(ticket), sha256(viewer)] });
  });

  it('limits a client by its token, and nobody else', async () => {
    expect(await codesOf({ query: teams }, 'sidebar')).toEqual(['DENIED']);
    expect(await codesOf({ query: viewer }, 'sidebar')).toBeUndefined();
    expect(await codesOf({ query: teams })).toBeUndefined();
  });

  it('lists and shows what is registered', async () => {
    const listed = await json('list');
    expect(listed).toEqual(
      [
        { id: sha256(ticket), operations: ['query Ticket'] },
        { id: sha256(viewer), operations: ['query Viewer'] },
      ]
        .sort((one, other) => (one.id < other.id ? -1 : 1))
        .map((each) => ({ ...each, registeredAt: expect.any(String), retiredAt: null })),
    );
    expect((await run('list')).stdout).toMatch(
      /query Viewer\n[\s\S]*2 operations registered\.\n$|query Ticket\n[\s\S]*2 operations/,
    );
    expect(await run('show', `sha256:${sha256(viewer)}`)).toMatchObject({ code: 0, stdout: viewer });
    expect(await run('show', 'f'.repeat(64))).toMatchObject({
      code: 1,
      stderr: 'Nothing was ever registered under this hash.\n',
    });
    expect(await run('show', 'viewer')).toMatchObject({ code: 1, stderr: expect.stringMatching(/^Expected hashes/) });
  });

  it('names each document that is not as needed with its file, and registers none of the others', async () => {
    const { code, stdout, stderr } = await run(
      'register',
      file('good.graphql', teams),
      file('bad.graphql', 'query Bad {\n  viewer { passwd }\n}'),
      file('codegen.json', { [createHash('sha1').update(ticket).digest('hex')]: ticket }),
      file('altered.json', manifest({ ...operation, body: ticket.replace('subject', 'status') })),
      file('renamed.json', manifest({ ...operation, name: 'Other' })),
    );
    expect([code, stdout]).toEqual([1, '']);
    const [first, ...rest] = stderr.trimEnd().split('\n');
    expect(first).toBe('Nothing was registered; 4 documents aren’t as needed:');
    expect(rest).toEqual([
      expect.stringMatching(/^ {2}bad\.graphql: Cannot query field "passwd" .*\(line 2, column 12\)$/),
      expect.stringMatching(/^ {2}codegen\.json: [0-9a-f]{40}: its id isn’t the SHA-256 of its text/),
      expect.stringMatching(/^ {2}altered\.json: Ticket: its id isn’t the SHA-256 of its text/),
      expect.stringMatching(/^ {2}renamed\.json: Other: its text has no operation of this name$/),
    ]);
    expect(await run('register', file('queries.txt', teams))).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/^queries\.txt: expected a manifest/),
    });
    expect(await json('list')).toHaveLength(2);
  });

  it('retires beside a running gateway, under either name, and says what it never knew', async () => {
    expect(await json('remove', sha256(viewer))).toEqual({ retired: [sha256(viewer)], unchanged: [] });
    await pause();
    expect(await codesOf({ documentId: sha256(viewer) })).toEqual(['PERSISTED_QUERY_NOT_FOUND']);
    expect(await codesOf({ query: viewer }, 'sidebar')).toEqual(['DENIED']);
    expect(await json('retire', sha256(viewer))).toEqual({ retired: [], unchanged: [sha256(viewer)] });
    expect(await run('retire', sha256(ticket), 'f'.repeat(64))).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('f'.repeat(64)),
    });
    expect((await json('list')).map(({ id }: { id: string }) => id)).toEqual([sha256(ticket)]);
    expect(await json('list', '--all')).toHaveLength(2);
  });

  it('is an event of the log each time, in the name of whoever did it, which an export proves', async () => {
    const { stdout } = await built.run(['audit', 'export'], environment);
    const who = engine === 'mariadb' ? 'system:command-line' : `operator:${process.getuid?.()}`;
    const events = stdout
      .split('\n')
      .filter((line) => line.includes('"operation.') || line.includes('operation.register') || line.includes('operation.retire'));
    expect(events.length).toBeGreaterThanOrEqual(3);
    for (const line of events) expect(line).toContain(who);
    expect(stdout).not.toContain('passwd');
    const key = (await built.run(['audit', 'key'], environment)).stdout.trim();
    expect(await built.run(['audit', 'verify', file('log.ndjson', stdout), '--key', key, '--strict'], environment)).toMatchObject(
      {
        code: 0,
      },
    );
  });

  it('goes on by itself once the gateway has stopped, and the gateway knows of it when it starts', async () => {
    await stop();
    expect(await json('register', 'viewer.graphql', 'good.graphql')).toEqual({
      registered: [sha256(viewer), sha256(teams)],
      unchanged: [],
    });
    expect(await json('list')).toHaveLength(3);
    await start();
    expect(await ask({ documentId: sha256(teams) }, 'sidebar')).toEqual({ data: { viewer: { teams: ['cards'] } } });
  });

  it('is looked at by doctor: what is registered fits the graph, or is named', async () => {
    expect((await built.run(['doctor'], environment)).stdout).toContain('operations: 3 registered, all of them fit the graph\n');
    await stop();
    const former = '{ viewer { former } }';
    const database = await Database.open(place.location, databaseParts);
    await tamper(
      database,
      "INSERT INTO registered_operation (id, text, operations, registered_at, retired_at) VALUES (?, ?, '[]', 1, NULL)",
      [sha256(former), former],
    );
    await database.close();
    const { code, stdout } = await built.run(['doctor', '--json'], environment);
    expect([code, JSON.parse(stdout).findings]).toEqual([
      1,
      expect.arrayContaining([
        { about: 'log', message: expect.stringMatching(new RegExp(`registered operations without an event.*${sha256(former)}`)) },
        { about: 'operations', message: expect.stringMatching(new RegExp(`^${sha256(former)} doesn’t fit .*"former"`)) },
      ]),
    ]);
  });
});
