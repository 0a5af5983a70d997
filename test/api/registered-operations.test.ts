import { extendSchema, parse } from 'graphql';
import { rowsWithoutEvent } from '../../src/cli/rows-without-event';
import { DatabaseUnavailable } from '../../src/db/database-unavailable';
import { demoTickets } from '../../src/development/merchant/cast';
import { DocumentExaminer } from '../../src/features/operations/examine';
import { Operations, operationsMemory } from '../../src/features/operations/operations.service';
import { createExaminer, createOperations } from '../../src/features/operations/operations.slice';
import { servedGraph } from '../../src/features/schema';
import { defaultLimits } from '../../src/graphql/limits.section';
import { countOf, eventsOf, ticketIdOf, told } from '../support/answers';
import { TestApp } from '../support/app';
import { tamper } from '../support/audit-log';
import { byApollo, offered, operator, post, register, sha256 } from '../support/registered';

const context = `query Context($reference: String!, $first: Int = 5) {
  ticketByReference(source: "demo", reference: $reference) {
    subject
    customer { displayName email phone paymentMethods { last4 token billingAddress { line1 city } } transactions(first: $first) { nodes { status amount { minorUnits } } } }
    messages { nodes { body } }
  }
}`;
const beginning = `mutation Begin($id: ID!) { beginAssistance(input: { ticketId: $id, purpose: DECLINE, reason: "The caller asks about a payment" }) { id } }`;
const several = 'query One { viewer { id } } query Two { viewer { mfa } }';
const viewer = 'query Viewer { viewer { id } }';
const variables = { reference: demoTickets.own.reference };

const notFound = [{ message: 'PersistedQueryNotFound', extensions: { code: 'PERSISTED_QUERY_NOT_FOUND' } }];

describe('an operation that is registered', () => {
  let test: TestApp;
  beforeAll(async () => {
    test = await TestApp.start();
    await register(test, context, beginning, several, viewer);
  });
  afterAll(() => test.stop());

  it('is run for its hash, in whichever form clients send that, as for its text', async () => {
    const sent = await test.as('ana', context, variables);
    expect(sent.data.ticketByReference.customer.paymentMethods.length).toBeGreaterThan(0);
    const hash = sha256(context);
    for (const body of [
      byApollo(hash, { variables }),
      byApollo(hash, { variables, operationName: 'Context' }),
      byApollo(hash, { variables, query: context }),
      byApollo(hash, { variables, query: null }),
      byApollo(hash, { variables, query: '' }),
      byApollo(hash, { variables, documentId: `sha256:${hash}` }),
      { documentId: `sha256:${hash}`, variables },
      { documentId: hash, variables, extensions: {} },
      { documentId: hash, variables, query: context, extensions: null },
    ])
      expect(await post(test, 'ana', body)).toEqual(sent);
  });

  it('leaves the same record of what was shown, and of what was denied', async () => {
    const recorded = async (work: () => Promise<unknown>) =>
      (await eventsOf(test, work)).map(({ action, actor, ticket, outcome, detail }) => ({
        action,
        actor,
        ticket,
        outcome,
        detail,
      }));
    await test.as('ana', context, variables);
    const bySending = await recorded(() => test.as('ana', context, variables));
    expect(bySending.map(({ action }) => action)).toContain('disclosure');
    expect(await recorded(() => post(test, 'ana', { documentId: sha256(context), variables }))).toEqual(bySending);

    const refused = await test.as('ben', context, variables);
    expect(refused.errors?.length).toBeGreaterThan(0);
    expect(await post(test, 'ben', byApollo(sha256(context), { variables }))).toEqual(refused);
    const unproven = { token: await test.token('ana', { mfa: false }) };
    expect(await post(test, unproven, byApollo(sha256(context), { variables }))).toEqual(
      await test.as(unproven, context, variables),
    );
  });

  it('has the bounds of an operation that is sent: its cost by its variables, its variables, its lists', async () => {
    const wide = { variables: { ...variables, first: 101 } };
    const sent = await test.as('ana', context, wide.variables);
    expect(sent.errors?.length).toBeGreaterThan(0);
    expect(await post(test, 'ana', byApollo(sha256(context), wide))).toEqual(sent);
    expect(told(await post(test, 'ana', byApollo(sha256(context), { variables: { reference: 1 } })))).toEqual(
      told(await test.as('ana', context, { reference: 1 })),
    );
  });

  it('may be a mutation, which is refused as it is when its text is sent', async () => {
    const ticket = { id: await ticketIdOf(test, demoTickets.own.reference) };
    const sent = await test.as('ada', beginning, ticket);
    expect(sent.errors).toHaveLength(1);
    expect(await post(test, 'ada', byApollo(sha256(beginning), { variables: ticket }))).toEqual(sent);
  });

  it('is chosen by its name where its document has several', async () => {
    const by = (operationName?: string) => post(test, 'ana', byApollo(sha256(several), operationName ? { operationName } : {}));
    expect((await by('One')).data).toEqual({ viewer: { id: expect.stringMatching(/^act_/) } });
    expect((await by('Two')).data).toEqual({ viewer: { mfa: true } });
    for (const name of [undefined, 'Three', ''])
      expect((await by(name)).errors).toMatchObject([{ extensions: { code: 'INVALID', argument: 'operationName' } }]);
  });

  it('costs a statement more than its text at most, and none for five seconds', async () => {
    const ask = async () => {
      const before = test.statements.length;
      await post(test, 'ana', byApollo(sha256(viewer)));
      return test.statements.slice(before).filter((sql) => sql.includes('registered_operation')).length;
    };
    test.clock.forward(operationsMemory);
    expect([await ask(), await ask(), await ask()]).toEqual([1, 0, 0]);
  });

  it('isn’t what stands under its hash in the database, where that was altered', async () => {
    const mine = 'query Mine { viewer { roles } }';
    await register(test, mine);
    await tamper(test.app.database, 'UPDATE registered_operation SET text = ? WHERE id = ?', [context, sha256(mine)]);
    test.clock.forward(operationsMemory);
    expect((await post(test, 'ana', byApollo(sha256(mine), { variables }))).errors).toEqual(notFound);
    expect(test.logLines.join('')).toContain('was altered; it is not served');
    await tamper(test.app.database, 'UPDATE registered_operation SET text = ? WHERE id = ?', [mine, sha256(mine)]);
  });

  it('can’t be looked up while the database can’t be read, which is said as of any reading', async () => {
    const { database } = test.app;
    const { read } = database;
    test.clock.forward(operationsMemory);
    database.read = async () => {
      throw new DatabaseUnavailable('NO_ANSWER', new Error('down'));
    };
    const { status, errors } = await post(test, { token: await test.token('ana') }, byApollo(sha256(viewer))).finally(() => {
      database.read = read;
    });
    expect([status, errors?.[0]?.extensions.code]).toEqual([503, 'RECORD_UNAVAILABLE']);
  });
});

describe('a hash', () => {
  let test: TestApp;
  beforeAll(async () => {
    test = await TestApp.start({ sync: false });
  });
  afterAll(() => test.stop());
  const hash = sha256(viewer);

  it('means nothing where no operation is registered: Apollo’s clients are told to send texts, others that it isn’t there', async () => {
    expect((await post(test, 'ana', byApollo(hash))).errors).toMatchObject([
      { extensions: { code: 'PERSISTED_QUERY_NOT_SUPPORTED' } },
    ]);
    expect((await post(test, 'ana', { documentId: hash })).errors).toEqual(notFound);
  });

  it('under which nothing is registered is told in the word that clients go by, and asking registers nothing', async () => {
    await register(test, several);
    const asked = byApollo(hash);
    expect(await post(test, 'ana', asked)).toEqual({ status: 200, errors: notFound });
    // What a client of automatic persisted queries does then.
    for (const body of [
      { ...asked, query: viewer },
      { documentId: hash, query: viewer },
    ])
      expect((await post(test, 'ana', body)).data).toEqual({ viewer: { id: expect.any(String) } });
    test.clock.forward(operationsMemory);
    for (const body of [asked, { documentId: hash }, { documentId: `sha256:${hash}` }])
      expect((await post(test, 'ana', body)).errors).toEqual(notFound);
    expect(await countOf(test, 'registered_operation')).toBe(1);
  });

  it.each<[string, object, string]>([
    ['another text beside it', byApollo(sha256(several), { query: viewer }), 'query'],
    ['its text with a blank more', byApollo(sha256(several), { query: `${several} ` }), 'query'],
    ['another text beside its id', { documentId: `sha256:${sha256(several)}`, query: viewer }, 'query'],
    ['another hash beside it', byApollo(sha256(several), { documentId: hash }), 'documentId'],
    ['upper case', byApollo(sha256(several).toUpperCase()), 'extensions.persistedQuery'],
    ['upper case as an id', { documentId: sha256(several).toUpperCase() }, 'documentId'],
    ['an upper-case prefix', { documentId: `SHA256:${sha256(several)}` }, 'documentId'],
    ['another prefix', { documentId: `sha512:${sha256(several)}` }, 'documentId'],
    ['SHA-1', { documentId: 'a'.repeat(40), query: viewer }, 'documentId'],
    ['blanks around it', { documentId: ` ${sha256(several)} ` }, 'documentId'],
    ['a line break behind it', { documentId: `${sha256(several)}\n` }, 'documentId'],
    ['a name', { documentId: 'several' }, 'documentId'],
    ['no text', { documentId: '' }, 'documentId'],
    ['a number', { documentId: 1 }, 'documentId'],
    ['a list', { documentId: [sha256(several)] }, 'documentId'],
    [
      'another version',
      { extensions: { persistedQuery: { version: 2, sha256Hash: sha256(several) } } },
      'extensions.persistedQuery',
    ],
    ['no version', { extensions: { persistedQuery: { sha256Hash: sha256(several) } } }, 'extensions.persistedQuery'],
    ['a list in its place', { extensions: { persistedQuery: [sha256(several)] } }, 'extensions.persistedQuery'],
    ['a text in its place', { extensions: { persistedQuery: sha256(several) } }, 'extensions.persistedQuery'],
    ['an object as hash', byApollo({ toString: sha256(several) }), 'extensions.persistedQuery'],
    ['false', { extensions: { persistedQuery: false }, query: viewer }, 'extensions.persistedQuery'],
  ])('with %s is refused, and nothing is run', async (_, body, argument) => {
    const events = await eventsOf(test, async () => {
      expect(await post(test, 'ana', { operationName: 'One', ...body })).toMatchObject({
        status: 400,
        errors: [{ extensions: { code: 'INVALID', argument } }],
      });
    });
    expect(events).toEqual([]);
  });

  it('isn’t asked for by GET, nor several in a batch', async () => {
    const token = await test.token('ana');
    const extensions = encodeURIComponent(JSON.stringify({ persistedQuery: { version: 1, sha256Hash: sha256(several) } }));
    for (const url of [`/graphql?extensions=${extensions}`, `/graphql?documentId=${sha256(several)}&operationName=One`]) {
      const { statusCode } = await test.server.inject({ method: 'GET', url, headers: { authorization: `Bearer ${token}` } });
      expect(statusCode).toBe(404);
    }
    const one = byApollo(sha256(several), { operationName: 'One' });
    expect((await post(test, 'ana', [one, one])).errors).toMatchObject([{ extensions: { code: 'BAD_REQUEST' } }]);
  });

  it('needs a token, whatever is registered', async () => {
    expect(await post(test, { token: 'none' }, byApollo(sha256(several)))).toMatchObject({ status: 401 });
  });

  it('fills no memory: what is kept of texts and of hashes that nobody registered has a bound in bytes', async () => {
    const long = Array.from({ length: 200 }, (_, index) => `# ${'x'.repeat(59_000)}\nquery L${index} { viewer { id } }`);
    const hashes = await register(test, ...long);
    const { operations } = test.app;
    for (const each of hashes) expect(await operations.text(each)).not.toBeNull();
    for (let index = 0; index < 300; index += 1) expect(await operations.text(sha256(String(index)))).toBeNull();
    const kept = Reflect.get(operations, 'remembered') as { calculatedSize: number; size: number };
    expect(kept.calculatedSize).toBeLessThanOrEqual(16 * 1024 * 1024);
    expect(kept.size).toBeGreaterThan(300);
    expect((Reflect.get(operations, 'reading') as Map<string, unknown>).size).toBe(0);
  });
});

describe('registering', () => {
  let test: TestApp;
  beforeAll(async () => {
    test = await TestApp.start({ sync: false });
  });
  afterAll(() => test.stop());
  const registerAll = (...texts: readonly string[]) => test.app.operations.register(operator, texts.map(offered));
  const eventsOfWork = async (work: () => Promise<unknown>) =>
    (await eventsOf(test, work)).map(({ action, actor, subject, detail }) => ({ action, actor, subject, detail }));

  it('is an event in the operator’s name for each document, which holds none of its words; once', async () => {
    const texts = [several, beginning];
    const expected = texts.map((text) => ({
      action: 'operation.register',
      actor: operator,
      subject: { type: 'RegisteredOperation', id: sha256(text) },
      detail: { kinds: [text === several ? 'query' : 'mutation'], bytes: text.length },
    }));
    expect(new Set(await eventsOfWork(() => registerAll(...texts, several)))).toEqual(new Set(expected));
    expect(await eventsOfWork(() => registerAll(...texts))).toEqual([]);
    expect(await test.app.operations.register(operator, [offered(several), offered(viewer)])).toEqual({
      registered: [sha256(viewer)],
      unchanged: [sha256(several)],
      problems: [],
    });
  });

  it('is told to auditors in the graph', async () => {
    const log = `query Log($id: ID!) { auditEvents(filter: { subjectType: "RegisteredOperation", subjectId: $id }) {
      rowFindings nodes { action outcome actor { id } subject { type id } changes { name after } } } }`;
    await test.app.signingLog?.sequencer.turn();
    const { data, errors } = await test.as('ada', log, { id: sha256(several) });
    expect(errors).toBeUndefined();
    expect(data.auditEvents).toMatchObject({
      rowFindings: 0,
      nodes: [
        { action: 'operation.register', outcome: 'ALLOWED', subject: { type: 'RegisteredOperation', id: sha256(several) } },
      ],
    });
  });

  it('takes no introspection where production answers none', async () => {
    const text = 'query Graph { __schema { types { name } } }';
    expect(await createExaminer({ limits: defaultLimits, production: true }).examine(offered(text))).toMatch(/introspection/i);
    expect(await createExaminer({ limits: defaultLimits, production: false }).examine(offered(text))).toMatchObject({
      id: sha256(text),
    });
  });

  it('ends with retiring, which is an event too, and begins again', async () => {
    const [hash = ''] = await register(test, 'query Former { viewer { id } }');
    const ask = async () => (await post(test, 'ana', byApollo(hash))).errors ?? 'answered';
    expect(await ask()).toBe('answered');
    const retired = await eventsOfWork(() => test.app.operations.retire(operator, [hash, hash]));
    expect(retired).toEqual([
      { action: 'operation.retire', actor: operator, subject: { type: 'RegisteredOperation', id: hash }, detail: {} },
    ]);
    expect(await ask()).toEqual(notFound);
    expect(await eventsOfWork(() => test.app.operations.retire(operator, [hash]))).toEqual([]);
    test.clock.forward(1_000);
    expect(await eventsOfWork(() => registerAll('query Former { viewer { id } }'))).toMatchObject([
      { action: 'operation.register' },
    ]);
    expect(await ask()).toBe('answered');
    expect(await test.app.operations.retire(operator, [hash, 'f'.repeat(64)])).toEqual({
      retired: [],
      unchanged: [],
      unknown: ['f'.repeat(64)],
    });
    expect(await ask()).toBe('answered');
    expect((await rowsWithoutEvent(test.app.database)).findings).toEqual([]);
  });

  it('by another process is known here within five seconds, and so is retiring', async () => {
    const { app } = test;
    // As a process of its own has it: with nothing remembered in common.
    const other = createOperations({ ...app, keys: test.keys } as never, app.config);
    const text = 'query Elsewhere { viewer { teams } }';
    const ask = async () => (await post(test, 'ana', byApollo(sha256(text)))).errors ?? 'answered';
    expect(await ask()).toEqual(notFound);
    await other.register(operator, [offered(text)]);
    test.clock.forward(operationsMemory);
    expect(await ask()).toBe('answered');
    await other.retire(operator, [sha256(text)]);
    test.clock.forward(operationsMemory);
    expect(await ask()).toEqual(notFound);
  });

  it('at the same time in two processes comes to one registration', async () => {
    const { app } = test;
    const other = createOperations({ ...app, keys: test.keys } as never, app.config);
    const texts = ['query Twice { viewer { id } }', 'query Thrice { viewer { id } }'];
    const events = await eventsOf(test, () =>
      Promise.all([
        app.operations.register(operator, texts.map(offered)),
        other.register(operator, [...texts].reverse().map(offered)),
        app.operations.register(operator, texts.map(offered)),
      ]),
    );
    expect(events.map(({ subject }) => (subject as { id: string }).id).sort()).toEqual(texts.map(sha256).sort());
    expect((await rowsWithoutEvent(app.database)).findings).toEqual([]);
  });

  it.each<[string, string, RegExp]>([
    ['what is no GraphQL', '{ viewer { id }', /Syntax Error.*\(line 1, column \d+\)/],
    ['a field that isn’t there', 'query Q {\n  viewer { passwd }\n}', /Cannot query field "passwd".*\(line 2, column 12\)/],
    ['fragments alone', 'fragment F on Viewer { id }', /F|operation/],
    ['a circle of fragments', '{ viewer { ...F } } fragment F on Viewer { ...F }', /F/],
    ['more tokens than a document has', `{ viewer { ${'id '.repeat(2_000)} } }`, /tokens|selections/i],
    [
      'what is deeper than an operation may be',
      `{ tickets { nodes { customer ${'{ transactions { nodes { paymentMethod '.repeat(5)}{ id }${' } } }'.repeat(5)} } } }`,
      /Cannot query|depth/,
    ],
    [
      'more aliases than an operation may have',
      `{ viewer { ${Array.from({ length: 60 }, (_, n) => `a${n}: id`).join(' ')} } }`,
      /query: .*aliases/,
    ],
    [
      'what costs too much whatever its variables are',
      'query Q($n: Int!) { tickets(first: 100) { nodes { customer { transactions(first: 100) { nodes { id status reference createdAt } } } messages(first: $n) { nodes { id } } } } }',
      /^test.graphql: query Q: .*\(cost\)/,
    ],
    ['a subscription', 'subscription { viewer { id } }', /./],
    ['a text that is longer than its column', `# ${'x'.repeat(60_000)}\n{ viewer { id } }`, /expected at most 60000 bytes/],
    ['half a character', '{ viewer { id } } # \ud800', /whole Unicode/],
  ])('refuses %s', async (_, text, why) => {
    const events = await eventsOf(test, async () => {
      const { registered, problems } = await registerAll('query Good { viewer { mfa } }', text);
      expect(registered).toEqual([]);
      expect(problems).toEqual([expect.stringMatching(why)]);
      expect(problems[0]).toMatch(/^test\.graphql: /);
    });
    expect(events).toEqual([]);
    expect(await countOf(test, 'registered_operation', 'id = ?', sha256('query Good { viewer { mfa } }'))).toBe(0);
  });

  it('takes lists whose length a variable says: how long they are is counted when they are asked for', async () => {
    const text =
      'query Pages($a: Int!, $b: Int = 2) { tickets(first: $a) { nodes { customer { transactions(first: $b) { nodes { id status } } } } } }';
    const [hash = ''] = await register(test, text);
    expect((await post(test, 'ana', byApollo(hash, { variables: { a: 1 } }))).errors).toBeUndefined();
    expect(told(await post(test, 'ana', byApollo(hash, { variables: { a: 100, b: 100 } })))).toEqual(
      told(await test.as('ana', text, { a: 100, b: 100 })),
    );
  });

  it.each<[string, Partial<ReturnType<typeof offered>>, RegExp]>([
    [
      'an id that isn’t the SHA-256 of its text',
      { id: sha256(several) },
      new RegExp(`isn’t the SHA-256 of its text, which is ${sha256(viewer)}`),
    ],
    ['an id in upper case', { id: sha256(viewer).toUpperCase() }, /isn’t the SHA-256/],
    ['a SHA-1', { id: 'a'.repeat(40) }, /sha256/],
    ['another name than the text has', { id: sha256(viewer), name: 'Context' }, /no operation of this name/],
    ['another kind than the text is', { id: sha256(viewer), name: 'Viewer', type: 'mutation' }, /isn’t a mutation/],
  ])('refuses %s', async (_, changes, why) => {
    const { problems } = await test.app.operations.register(operator, [
      { ...offered(viewer), from: 'm.json: Viewer', ...changes },
    ]);
    expect(problems).toEqual([expect.stringMatching(why)]);
    expect(problems[0]).toMatch(/^m\.json: Viewer: /);
  });
});

describe('an operation that was registered while the graph was another', () => {
  const former = 'query Former { viewer { id former } }';
  let test: TestApp;
  beforeAll(async () => {
    test = await TestApp.start({ sync: false });
    const { database, clock, log } = test.app;
    const older = extendSchema(servedGraph().schema, parse('extend type Viewer { former: String }'));
    const examiner = () => new DocumentExaminer(older, defaultLimits, true);
    const operations = new Operations({ database, clock, log, registeredOnly: false, examiner });
    expect((await operations.register(operator, [offered(former)])).problems).toEqual([]);
  });
  afterAll(() => test.stop());

  it('is refused with a code of its own, and its text as any text', async () => {
    expect(await post(test, 'ana', byApollo(sha256(former)))).toMatchObject({
      status: 400,
      errors: [{ extensions: { code: 'PERSISTED_QUERY_OUTDATED' } }],
    });
    expect(await test.as('ana', former)).toMatchObject({ errors: [{ extensions: { code: 'GRAPHQL_VALIDATION_FAILED' } }] });
  });
});

describe('what is stored of registered operations', () => {
  let test: TestApp;
  const smuggled = '{ viewer { roles teams } }';
  beforeAll(async () => {
    test = await TestApp.start({ sync: false });
    await register(test, viewer, several);
    await test.app.operations.retire(operator, [sha256(several)]);
  });
  afterAll(() => test.stop());
  const found = async () => (await rowsWithoutEvent(test.app.database)).findings;

  it.each<[string, string, readonly unknown[], RegExp, string]>([
    [
      'a row that somebody put there',
      'INSERT INTO registered_operation (id, text, operations, registered_at, retired_at) VALUES (?, ?, ?, 1, NULL)',
      [sha256(smuggled), smuggled, '[]'],
      /without an event of the log/,
      `DELETE FROM registered_operation WHERE id = '${sha256(smuggled)}'`,
    ],
    [
      'a retired one that somebody put back',
      `UPDATE registered_operation SET retired_at = NULL WHERE id = ?`,
      [sha256(several)],
      /retiredAt/,
      `UPDATE registered_operation SET retired_at = registered_at WHERE id = '${sha256(several)}'`,
    ],
    [
      'another text',
      'UPDATE registered_operation SET text = ? WHERE id = ?',
      [smuggled, sha256(viewer)],
      /\(text\)/,
      `UPDATE registered_operation SET text = '${viewer}' WHERE id = '${sha256(viewer)}'`,
    ],
    [
      'another time',
      'UPDATE registered_operation SET registered_at = 1 WHERE id = ?',
      [sha256(viewer)],
      /registeredAt/,
      `UPDATE registered_operation SET registered_at = (SELECT at FROM audit_event WHERE subject_id = '${sha256(viewer)}') WHERE id = '${sha256(viewer)}'`,
    ],
  ])('is held against its events, which find %s', async (_, sql, values, finding, undo) => {
    expect(await found()).toEqual([]);
    await tamper(test.app.database, sql, values);
    expect(await found()).toEqual([expect.stringMatching(finding)]);
    await tamper(test.app.database, undo);
    expect(await found()).toEqual([]);
  });
});
