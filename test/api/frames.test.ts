import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { buildSchema, type FieldNode, Kind, parse } from 'graphql';
import { rowsWithoutEvent } from '../../src/cli/rows-without-event';
import { demoTickets } from '../../src/development/merchant/cast';
import { frameFields } from '../../src/features/embeds/frame-fields';
import { countOf } from '../support/answers';
import { tamper } from '../support/audit-log';
import { engine } from '../support/database';
import { FramedApp, frameKey, ownPage } from '../support/framed';
import { HeldPayments } from '../support/holds';
import { root } from '../support/readme';

const embeds = ['demo', 'second'].map((source) => ({ source, origins: [`https://${source}.example`] }));
const own = '1001';
const minute = 60_000;

let desk: FramedApp;
beforeAll(async () => {
  desk = await FramedApp.start(embeds);
}, 120_000);
afterAll(() => desk.stop());

/** The same bytes in base64url, whose last sign may have bits to spare. */
const respelled = (code: string): string => {
  const signs = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
  const bytes = Buffer.from(code, 'base64url');
  const spelled = [...signs].map((sign) => code.slice(0, -1) + sign);
  return spelled.find((each) => each !== code && Buffer.from(each, 'base64url').equals(bytes)) ?? code;
};

const refusals = async () => (await desk.test.events('frame.refuse')).map(({ detail }) => (detail as { why: string }).why);

describe('a frame’s session', () => {
  it('begins by a code and the verifier that only the frame has, is of its helpdesk, and shows a ticket', async () => {
    const browser = await desk.browser('ana');
    const key = frameKey();
    const { status, cookies } = await desk.redeem(await desk.code(browser, key), key);
    expect({ status, cookies: cookies.map(({ name, attributes }) => [name, attributes]) }).toEqual({
      status: 200,
      cookies: [['__Host-counterfoil-frame-demo', 'Path=/; Secure; HttpOnly; SameSite=None; Partitioned']],
    });
    const frame = cookies[0]?.value as string;
    const { data, reasons } = await desk.ask(
      frame,
      `{ viewer { roles mfa } ticketByReference(source: "demo", reference: "${own}") { reference customer { link paymentMethods { last4 } } } }`,
    );
    expect(reasons).toEqual([]);
    expect(data).toMatchObject({ viewer: { roles: ['AGENT'], mfa: true }, ticketByReference: { reference: own } });
    const [begun] = await desk.test.events('frame-session.begin');
    expect(begun).toMatchObject({ actor: { id: 'system:sign-in' }, detail: { source: 'demo' } });
    expect((await desk.test.events('disclosure')).length).toBe(1);
    expect((await rowsWithoutEvent(desk.test.app.database)).findings).toEqual([]);
  });

  it('keeps no cookie, code or verifier where it could be read', async () => {
    const browser = await desk.browser('ana');
    const key = frameKey();
    const code = await desk.code(browser, key);
    const frame = (await desk.redeem(code, key)).cookies[0]?.value as string;
    const stored = JSON.stringify([
      await desk.test.app.database.query('SELECT * FROM frame_session'),
      await desk.test.app.database.query('SELECT * FROM frame_use'),
      await desk.test.events(),
      desk.test.logLines,
    ]);
    for (const secret of [browser, frame, code, key.verifier, key.challenge]) expect(stored).not.toContain(secret);
  });

  it.each<
    [
      string,
      (given: { code: string; key: ReturnType<typeof frameKey>; other: ReturnType<typeof frameKey> }) => Promise<unknown>,
      string,
    ]
  >([
    ['a second time', ({ code, key }) => desk.redeem(code, key).then(() => desk.redeem(code, key)), 'code-used'],
    ['by another frame’s verifier', ({ code, other }) => desk.redeem(code, other), 'verifier'],
    ['for another helpdesk', ({ code, key }) => desk.redeem(code, key, 'second'), 'code-source'],
    ['after a minute', ({ code, key }) => desk.later(minute).redeem(code, key), 'code-age'],
    ['altered', ({ code, key }) => desk.redeem(`${code.slice(0, -3)}AAA`, key), 'code'],
    ['made up', ({ key }) => desk.redeem('QUFBQUFBQUE', key), 'code'],
  ])('doesn’t begin by a code %s', async (_, act, why) => {
    desk.test.clock.forward(1_000);
    const browser = await desk.browser('ana');
    const [key, other] = [frameKey(), frameKey()];
    const code = await desk.code(browser, key);
    const [before, told] = [await refusals(), await countOf(desk.test, 'frame_session')];
    const answer = await act({ code, key, other });
    expect(answer).toMatchObject({ status: 401, code: 'UNAUTHENTICATED', rule: 'frame.code', cookies: [] });
    expect((await refusals()).slice(before.length)).toEqual([why]);
    expect((await countOf(desk.test, 'frame_session')) - told).toBe(why === 'code-used' ? 1 : 0);
  });

  it('takes a code in one spelling of its bytes, so that it isn’t a new one in another', async () => {
    desk.test.clock.forward(1_000);
    const { app } = desk.test;
    const browser = await desk.browser('ana');
    // Long enough for the last sign to have bits to spare.
    const made = await Promise.all(
      [43, 75, 107].map((length) =>
        app.embeds?.frames.code(browser, { source: 'demo', challenge: 'x'.repeat(length), network: null }),
      ),
    );
    const code = made.find((each) => each !== undefined && respelled(each) !== each) as string;
    const other = respelled(code);
    const before = (await refusals()).length;
    expect((await desk.redeem(other, frameKey())).status).toBe(401);
    desk.test.clock.forward(1_000);
    expect((await desk.redeem(code, frameKey())).status).toBe(401);
    expect((await refusals()).slice(before)).toEqual(['code', 'verifier']);
  });

  it('uses a code up, whoever brings it', async () => {
    const [key, thief] = [frameKey(), frameKey()];
    const code = await desk.code(await desk.browser('ana'), key);
    expect((await desk.redeem(code, thief)).status).toBe(401);
    expect((await desk.redeem(code, key)).status).toBe(401);
  });

  it('begins once by a code that is brought many times at once', async () => {
    const key = frameKey();
    const code = await desk.code(await desk.browser('ana'), key);
    const answers = await Promise.all(Array.from({ length: 6 }, () => desk.redeem(code, key)));
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 401, 401, 401, 401, 401]);
  });

  it('doesn’t begin by the code of a browser that has signed out meanwhile', async () => {
    desk.test.clock.forward(1_000);
    const browser = await desk.browser('ana');
    const key = frameKey();
    const code = await desk.code(browser, key);
    await desk.test.app.signIn?.sessions.signOut(browser);
    expect(await desk.redeem(code, key)).toMatchObject({ status: 401, rule: 'frame.code' });
    expect((await refusals()).at(-1)).toBe('session');
  });

  it('isn’t somebody else’s by a code that they put into the frame', async () => {
    // Who signs a victim in as themselves would see what the victim types.
    const theirs = frameKey();
    const injected = await desk.code(await desk.browser('ben'), theirs);
    const victim = frameKey();
    expect(await desk.redeem(injected, victim)).toMatchObject({ status: 401, rule: 'frame.code' });
  });

  it('is handed over by a cookie of a minute where the window can’t tell the frame, to whoever has the verifier', async () => {
    const browser = await desk.browser('ana');
    const key = frameKey();
    const given = await desk.post(
      '/frame/codes',
      { source: 'demo', challenge: key.challenge, handOff: true },
      { cookie: `__Host-counterfoil=${browser}` },
    );
    expect(given.body).toEqual({});
    const [handOff] = given.cookies;
    expect([handOff?.name, handOff?.attributes]).toEqual([
      '__Host-counterfoil-hand-off',
      'Path=/; Secure; HttpOnly; SameSite=None; Max-Age=60',
    ]);
    const cookie = `__Host-counterfoil-hand-off=${handOff?.value}`;
    expect(await desk.post('/frame/session', { source: 'demo', verifier: key.verifier })).toMatchObject({
      status: 401,
      rule: 'frame.no-code',
    });
    const { status, cookies } = await desk.post('/frame/session', { source: 'demo', verifier: key.verifier }, { cookie });
    expect({ status, names: cookies.map(({ name, value }) => [name, value === '']) }).toEqual({
      status: 200,
      names: [
        ['__Host-counterfoil-frame-demo', false],
        ['__Host-counterfoil-hand-off', true],
      ],
    });
    expect((await desk.post('/frame/session', { source: 'demo', verifier: key.verifier }, { cookie })).status).toBe(401);
  });

  it('comes from our own page alone, with our header', async () => {
    const browser = await desk.browser('ana');
    const frame = await desk.frame(browser);
    const cookie = `__Host-counterfoil=${browser}`;
    for (const headers of [
      { origin: 'https://demo.example', 'sec-fetch-site': 'cross-site' },
      { 'counterfoil-browser': '' },
      { origin: 'null' },
    ] as Record<string, string>[]) {
      const { challenge, verifier } = frameKey();
      expect((await desk.post('/frame/codes', { source: 'demo', challenge }, { cookie, ...headers })).rule).toBe(
        'session.foreign',
      );
      expect((await desk.post('/frame/session', { source: 'demo', verifier, code: 'AAAA' }, headers)).rule).toBe(
        'session.foreign',
      );
      expect((await desk.ask(frame, '{ viewer { id } }', { headers })).status).toBe(401);
    }
  });

  it('counts for nothing under another name, for another helpdesk, or without saying that it is a frame', async () => {
    const frame = await desk.frame(await desk.browser('ana'));
    const asked = (cookie: string, headers: Record<string, string>) =>
      desk.post('/graphql', { query: '{ viewer { id } }' }, { cookie, ...headers }).then(({ status }) => status);
    expect(await asked(`__Host-counterfoil=${frame}`, {})).toBe(401);
    expect(await asked(`__Host-counterfoil-frame-demo=${frame}`, {})).toBe(401);
    expect(await asked(`__Host-counterfoil-frame-second=${frame}`, { 'counterfoil-frame': 'second' })).toBe(401);
    expect(await asked(`__Host-counterfoil-frame-demo=${frame}`, { 'counterfoil-frame': 'demo' })).toBe(200);
    // Nor is a browser's session one of a frame.
    const browser = await desk.browser('ana');
    expect(await asked(`__Host-counterfoil-frame-demo=${browser}`, { 'counterfoil-frame': 'demo' })).toBe(401);
    expect(await asked(`__Host-counterfoil=${browser}`, { 'counterfoil-frame': 'demo' })).toBe(401);
  });

  it('is another helpdesk’s for nobody by a row that somebody changes, and doctor says so', async () => {
    const frame = await desk.frame(await desk.browser('ana'));
    await tamper(desk.test.app.database, "UPDATE frame_session SET source = 'second' WHERE ended_at IS NULL", []);
    for (const source of ['demo', 'second']) expect((await desk.ask(frame, '{ viewer { id } }', { source })).status).toBe(401);
    expect((await rowsWithoutEvent(desk.test.app.database)).findings).not.toEqual([]);
    await tamper(desk.test.app.database, "UPDATE frame_session SET source = 'demo' WHERE ended_at IS NULL", []);
    expect((await desk.ask(frame, '{ viewer { id } }')).status).toBe(200);
  });
});

// An embedded database belongs to one process.
if (engine === 'mariadb')
  it('a frame’s session begins at any gateway by the code of another one, once by both, and is both’s', async () => {
    const replica = await desk.test.replica();
    try {
      for (let round = 0; round < 5; round += 1) {
        const key = frameKey();
        const code = await desk.code(await desk.browser('ana'), key);
        const outcomes = await Promise.allSettled(
          [replica, desk.test.app, replica].map((app) =>
            app.embeds?.frames.redeem({ code, verifier: key.verifier, source: 'demo' }, null),
          ),
        );
        const [cookie, ...more] = outcomes.flatMap((each) => (each.status === 'fulfilled' ? [each.value] : []));
        expect(more).toEqual([]);
        const frame = { cookie: cookie as string, source: 'demo', signed: null };
        for (const app of [replica, desk.test.app])
          await expect(app.embeds?.frames.arriveBy(frame, null)).resolves.toMatchObject({ actor: { kind: 'staff' } });
      }
    } finally {
      await replica.close();
    }
  });

describe('a frame’s session ends', () => {
  const asked = async (frame: string) => (await desk.ask(frame, '{ viewer { id } }')).status;

  it('at once with its browser’s: signed out, logged out at the provider, idle, or its time over', async () => {
    for (const end of ['sign-out', 'logout', 'idle', 'time'] as const) {
      const browser = await desk.browser('ana');
      const frame = await desk.frame(browser);
      expect(await asked(frame)).toBe(200);
      if (end === 'sign-out') await desk.post('/sign-out', {}, { cookie: `__Host-counterfoil=${browser}` });
      if (end === 'logout') {
        const { issuer } = desk.issuer.configuration;
        await desk.test.app.actors.endSessions({ issuer, subject: 'ana', sessionId: null, issuedAt: desk.test.clock.now() });
      }
      if (end === 'idle') desk.test.clock.forward(16 * minute);
      if (end === 'time') {
        await tamper(desk.test.app.database, 'UPDATE browser_session SET used_at = used_at + ? WHERE ended_at IS NULL', [
          8 * 60 * minute,
        ]);
        desk.test.clock.forward(8 * 60 * minute);
      }
      expect([end, await asked(frame)]).toEqual([end, 401]);
      // What voids all tokens of that second is over.
      desk.test.clock.forward(2_000);
    }
  });

  it('with the streams of its page', async () => {
    const browser = await desk.browser('ana');
    const cookie = await desk.frame(browser);
    const arrival = await desk.test.app.embeds?.frames.arriveBy({ cookie, source: 'demo', signed: null }, null);
    await expect(arrival?.again()).resolves.toMatchObject({ frame: { source: 'demo' }, authenticatedAt: null });
    await desk.test.app.signIn?.sessions.signOut(browser);
    await expect(arrival?.again()).rejects.toMatchObject({ details: { rule: 'session.none' } });
  });

  it('for idleness, however often the page around it makes a new frame that nobody touches', async () => {
    const browser = await desk.browser('ana');
    const frame = await desk.frame(browser);
    const put = 'UPDATE browser_session SET used_at = used_at - ? WHERE ended_at IS NULL';
    await tamper(desk.test.app.database, put, [14 * minute]);
    const unattended = { headers: { 'counterfoil-unattended': '1' } };
    for (let made = 0; made < 3; made += 1) expect((await desk.ask(frame, '{ viewer { id } }', unattended)).status).toBe(200);
    desk.test.clock.forward(2 * minute);
    expect((await desk.ask(frame, '{ viewer { id } }', unattended)).status).toBe(401);
    expect((await desk.test.events('browser-session.end')).at(-1)).toMatchObject({ detail: { why: 'idle' } });
  });

  it('for good, whoever puts its row back as it was', async () => {
    const frame = await desk.frame(await desk.browser('ana'));
    const { database } = desk.test.app;
    const [row] = await database.query<{ id: string; within_sealed: Buffer }>(
      'SELECT id, within_sealed FROM frame_session WHERE ended_at IS NULL ORDER BY created_at DESC, id DESC LIMIT 1',
    );
    await desk.post('/frame/sign-out', {}, { cookie: `__Host-counterfoil-frame-demo=${frame}`, 'counterfoil-frame': 'demo' });
    await tamper(database, 'UPDATE frame_session SET ended_at = NULL, within_sealed = ? WHERE id = ?', [
      row?.within_sealed,
      row?.id,
    ]);
    expect(await asked(frame)).toBe(401);
    expect((await rowsWithoutEvent(database)).findings).not.toEqual([]);
    await tamper(database, 'DELETE FROM frame_session WHERE id = ?', [row?.id]);
  });

  it('by itself, and the browser’s goes on', async () => {
    desk.test.clock.forward(1_000);
    const browser = await desk.browser('ana');
    const [frame, other] = [await desk.frame(browser), await desk.frame(browser)];
    const headers = { cookie: `__Host-counterfoil-frame-demo=${frame}`, 'counterfoil-frame': 'demo' };
    const { status, cookies } = await desk.post('/frame/sign-out', {}, headers);
    expect({ status, cleared: cookies[0]?.value }).toEqual({ status: 200, cleared: '' });
    expect([await asked(frame), await asked(other)]).toEqual([401, 200]);
    expect((await desk.test.events('frame-session.end')).at(-1)).toMatchObject({ detail: { why: 'signed-out' } });
  });

  it('where a new one begins in its place', async () => {
    const browser = await desk.browser('ana');
    const former = await desk.frame(browser);
    const key = frameKey();
    const { cookies } = await desk.redeem(await desk.code(browser, key), key, 'demo', {
      cookie: `__Host-counterfoil-frame-demo=${former}`,
    });
    expect([await asked(former), await asked(cookies[0]?.value as string)]).toEqual([401, 200]);
  });

  it('is swept after its browser’s, and removed a day later', async () => {
    desk.test.clock.forward(1_000);
    const browser = await desk.browser('ana');
    await desk.frame(browser);
    await desk.test.app.signIn?.sessions.signOut(browser);
    await desk.test.app.embeds?.frames.sweep();
    expect((await desk.test.events('frame-session.end')).at(-1)).toMatchObject({ detail: { why: 'browser' } });
    const [{ n = 0 } = {}] = await desk.test.app.database.query<{ n: number }>(
      'SELECT COUNT(*) AS n FROM frame_session f JOIN browser_session b ON b.id = f.session_id WHERE f.ended_at IS NULL AND b.ended_at IS NOT NULL',
    );
    expect(Number(n)).toBe(0);
    desk.test.clock.forward(25 * 60 * minute);
    await desk.test.app.signIn?.sessions.sweep();
    await desk.test.app.embeds?.frames.sweep();
    expect(await desk.test.events('frame-session.forget')).not.toEqual([]);
    expect((await rowsWithoutEvent(desk.test.app.database)).findings).toEqual([]);
  });
});

describe('what a frame may do', () => {
  it('is said of each root field, and nothing that isn’t said is done', async () => {
    const schema = buildSchema(readFileSync(join(root, 'schema/schema.graphql'), 'utf8'));
    const served = [schema.getQueryType(), schema.getMutationType(), schema.getSubscriptionType()].flatMap((type) =>
      Object.keys(type?.getFields() ?? {}).map((field) => `${type?.name}.${field}`),
    );
    expect([...frameFields.keys()].filter((field) => !served.includes(field))).toEqual([]);
    const inFrames = new Set(frameFields.keys());
    for (const word of [
      /approve/i,
      /reject/i,
      /release/i,
      /audit/i,
      /disclosures/,
      /replay/,
      /explain/,
      /extend/,
      /resolve/,
      /tickets$/,
      /\.transaction$/,
    ])
      expect([...inFrames].filter((field) => word.test(field))).toEqual([]);
  });

  it('is all that the panel needs, but for what it leaves to the console', () => {
    const text = readFileSync(join(root, 'console/app/screens/agent/panel.graphql'), 'utf8');
    const names = { query: 'Query', mutation: 'Mutation', subscription: 'Subscription' } as const;
    const asked = parse(text).definitions.flatMap((each) =>
      each.kind === Kind.OPERATION_DEFINITION
        ? each.selectionSet.selections.map((field) => `${names[each.operation]}.${(field as FieldNode).name.value}`)
        : [],
    );
    expect(asked.length).toBeGreaterThan(10);
    expect(asked.filter((field) => !frameFields.has(field)).sort()).toEqual(['Mutation.releaseHold', 'Mutation.resolveAlert']);
  });

  it('is to read a customer under an assistance, of its helpdesk', async () => {
    const ana = await desk.frame(await desk.browser('ana'));
    const opened = await desk.ask(ana, `{ ticketByReference(source: "demo", reference: "${own}") { customer { id } } }`);
    const query = `{ customer(id: "${opened.data.ticketByReference.customer.id}") { id } }`;
    expect(await desk.ask(ana, query)).toMatchObject({ reasons: [], data: opened.data.ticketByReference });
    const other = await desk.frame(await desk.browser('ana'), 'second');
    const elsewhere = await desk.ask(other, query, { source: 'second' });
    expect(elsewhere.reasons).toEqual(['NOT_FOUND']);
    expect(elsewhere).toEqual(await desk.ask(other, '{ customer(id: "cus_none") { id } }', { source: 'second' }));
  });

  it('is to read of one’s own assistances those on tickets of its helpdesk', async () => {
    const ana = await desk.frame(await desk.browser('ana'));
    const opened = await desk.ask(ana, `{ ticketByReference(source: "demo", reference: "${own}") { id assistance { id } } }`);
    const { id, assistance } = opened.data.ticketByReference;
    const query = `{ viewer { assistance(ticketId: "${id}") { id } } }`;
    expect(await desk.ask(ana, query)).toMatchObject({ reasons: [], data: { viewer: { assistance } } });
    const other = await desk.frame(await desk.browser('ana'), 'second');
    expect((await desk.ask(other, query, { source: 'second' })).data).toEqual({ viewer: { assistance: null } });
  });

  it.each([
    ['an approval', 'mutation { approveCredentialUpdate(id: "cru_1") { id } }'],
    ['a rejection', 'mutation { rejectAssistance(id: "ast_1", reason: "a reason of ten") { id } }'],
    ['a release', 'mutation { releaseHold(id: "hld_1", reason: "a reason of ten") { id } }'],
    ['the log', '{ auditCheckpoint { treeSize } }'],
    ['a list beyond the ticket', '{ tickets { nodes { id } } }'],
    ['alerts beyond the ticket', '{ alerts { nodes { id } } }'],
    ['a payment by its id', '{ transaction(id: "txn_1") { id } }'],
    [
      'a hold on customers beside the ticket’s',
      'mutation { placeHold(input: { ticketId: "tkt_1", customerIds: ["cus_1"], effects: [REVIEW], until: "2030-01-01T00:00:00Z", reason: "a reason of ten", idempotencyKey: "a key of one" }) { id } }',
    ],
    ['what hides in a fragment', '{ ...F } fragment F on Query { viewer { id } tickets { nodes { id } } }'],
    ['what has another name', '{ viewer: tickets { nodes { id } } }'],
  ])('isn’t %s, which the console is for', async (_, query) => {
    const sam = await desk.frame(await desk.browser('sam'));
    const { reasons, told, data } = await desk.ask(sam, query);
    expect({ reasons, data }).toEqual({ reasons: ['FRAME'], data: null });
    expect(told[0]).toMatchObject({ code: 'DENIED', remedy: expect.stringMatching(/console/) });
    // One of each rule within a minute.
    const denied = (await desk.test.events('denial')).map(({ detail }) => (detail as { rule: string }).rule);
    expect(denied).toContain(told[0]?.rule);
  });

  it('isn’t begun in part where one of several isn’t done in a frame', async () => {
    const [ana, sam] = [await desk.frame(await desk.browser('ana')), await desk.frame(await desk.browser('sam'))];
    const id = (await desk.ask(ana, `{ ticketByReference(source: "demo", reference: "${own}") { id } }`)).data.ticketByReference
      .id;
    const before = (await desk.test.events()).filter(({ action }) => String(action).startsWith('alert')).length;
    const { reasons } = await desk.ask(
      sam,
      `mutation { reportConcern(input: { ticketId: "${id}", note: "the caller sounds like somebody else" }) { id } approveHold(id: "hld_1") { id } }`,
    );
    expect(reasons).toEqual(['FRAME']);
    expect((await desk.test.events()).filter(({ action }) => String(action).startsWith('alert')).length).toBe(before);
  });

  it('is a request on a ticket of its helpdesk', async () => {
    const ana = await desk.frame(await desk.browser('ana'));
    const id = (await desk.ask(ana, `{ ticketByReference(source: "demo", reference: "${own}") { id } }`)).data.ticketByReference
      .id;
    const report = `mutation { reportConcern(input: { ticketId: "${id}", note: "the caller sounds like somebody else" }) { id } }`;
    expect((await desk.ask(ana, report)).reasons).toEqual([]);
    // Of another helpdesk's frame the same ticket is none, as one that doesn't exist.
    const other = await desk.frame(await desk.browser('ana'), 'second');
    const elsewhere = await desk.ask(other, report, { source: 'second' });
    const nowhere = await desk.ask(other, report.replace(id, 'tkt_none'), { source: 'second' });
    expect(elsewhere).toEqual(nowhere);
    expect(elsewhere.reasons).toEqual(['NOT_FOUND']);
    for (const query of [
      `{ ticket(id: "${id}") { id } }`,
      `{ ticketByReference(source: "demo", reference: "${own}") { id } }`,
      `{ alerts(filter: { ticketId: "${id}" }) { nodes { id } } }`,
    ])
      expect([query, (await desk.ask(other, query, { source: 'second' })).reasons]).toEqual([query, ['NOT_FOUND']]);
  });

  it('isn’t to tell whether there is a ticket, a customer or a request beyond one’s reach', async () => {
    const ana = await desk.frame(await desk.browser('ana'));
    const { database } = desk.test.app;
    const [other] = await database.query<{ id: string; customer_id: string }>(
      'SELECT id, customer_id FROM helpdesk_ticket WHERE reference = ?',
      [demoTickets.otherTeam.reference],
    );
    const ben = await desk.frame(await desk.browser('ben'));
    const opened = await desk.ask(
      ben,
      `{ ticketByReference(source: "demo", reference: "${demoTickets.otherTeam.reference}") { assistance { id } } }`,
    );
    const assistance = opened.data.ticketByReference.assistance?.id ?? 'ast_none';
    for (const [query, id, none] of [
      [(each: string) => `{ ticket(id: "${each}") { id } }`, other?.id, 'tkt_none'],
      [(each: string) => `{ customer(id: "${each}") { id } }`, other?.customer_id, 'cus_none'],
      [(each: string) => `{ alerts(filter: { ticketId: "${each}" }) { nodes { id } } }`, other?.id, 'tkt_none'],
      [(each: string) => `mutation { endAssistance(id: "${each}") { id } }`, assistance, 'ast_no'],
    ] as const) {
      const told = await desk.ask(ana, query(id as string));
      expect(told).toEqual(await desk.ask(ana, query(none)));
      expect(told.reasons).toEqual(['NOT_FOUND']);
    }
  });

  it('isn’t what needs a recent sign-in, however recent it was', async () => {
    const sam = await desk.frame(await desk.browser('sam'));
    const arrival = await desk.test.app.embeds?.frames.arriveBy({ cookie: sam, source: 'demo', signed: null }, null);
    expect(arrival?.actor.authenticatedAt).toBeNull();
    // What would show itself after another sign-in elsewhere is for the console here.
    const id = await new HeldPayments(desk.test).byRule(own, { isProposal: true });
    const ana = await desk.frame(await desk.browser('ana'));
    const ticket = (await desk.ask(ana, `{ ticketByReference(source: "demo", reference: "${own}") { id } }`)).data
      .ticketByReference;
    const query = `{ holds(filter: { ticketId: "${ticket.id}" }) { nodes { id cause } } }`;
    const { data, told } = await desk.ask(sam, query);
    expect(data.holds.nodes).toContainEqual({ id, cause: null });
    expect(told).toEqual([
      expect.objectContaining({ code: 'DENIED', reason: 'FRAME', remedy: expect.stringMatching(/console/) }),
    ]);
  });

  it('is ended by whom it is of alone', async () => {
    const [ana, sam] = [await desk.frame(await desk.browser('ana')), await desk.frame(await desk.browser('sam'))];
    const opened = await desk.ask(ana, `{ ticketByReference(source: "demo", reference: "${own}") { assistance { id } } }`);
    const { id } = opened.data.ticketByReference.assistance;
    const end = `mutation { endAssistance(id: "${id}") { state } }`;
    expect((await desk.ask(sam, end)).reasons).toEqual(['FRAME']);
    expect((await desk.ask(ana, end)).data.endAssistance.state).toBe('ENDED');
  });

  it('isn’t an export of the log', async () => {
    const ada = await desk.frame(await desk.browser('ada'));
    const { statusCode, body } = await desk.test.server.inject({
      url: '/audit/export?format=ndjson',
      headers: { ...ownPage, cookie: `__Host-counterfoil-frame-demo=${ada}`, 'counterfoil-frame': 'demo' },
    });
    expect(statusCode).toBe(403);
    expect(JSON.parse(body).errors[0].extensions).toMatchObject({ code: 'DENIED', reason: 'FRAME' });
  });
});
