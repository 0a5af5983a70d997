import { demoTickets } from '../../src/development/merchant/cast';
import { removeHappenings } from '../../src/features/alerts/alert-retention';
import { customerOf, raised, raiseOn } from '../support/alerts';
import { ticketIdOf } from '../support/answers';
import { TestApp } from '../support/app';
import { listening, overEvents, overSocket, type Subscriber, settled } from '../support/subscribers';

const opens = 'query($reference: String!) { ticketByReference(source: "demo", reference: $reference) { assistance { state } } }';
const { reference } = demoTickets.own;

describe.each([
  ['a web socket', overSocket],
  ['server-sent events', overEvents],
])('alerts over %s', (_, over) => {
  let test: TestApp;
  let url: string;
  let open: Subscriber[] = [];
  beforeAll(async () => {
    test = await TestApp.start();
    url = await listening(test);
  });
  afterEach(async () => {
    await Promise.all(open.map(({ stop }) => stop()));
    open = [];
  });
  afterAll(() => test.stop());

  const subscribe = async (who: string, wish: Parameters<typeof over>[2] = {}): Promise<Subscriber> => {
    const subscriber = over(url, await test.token(who), wish);
    open.push(subscriber);
    await settled();
    return subscriber;
  };

  it('are a notice without an assistance and their content under one, to whoever has the ticket, on record before they leave', async () => {
    const ana = await subscribe('ana');
    const others = [await subscribe('ben'), await subscribe('sam')];
    const first = raised(await raiseOn(test, reference, { window: 'first' }));
    await ana.heard.until(1);
    expect(ana.heard.results).toEqual([
      {
        data: {
          alerts: {
            cursor: expect.any(String),
            kind: 'NOTICE',
            alertId: first,
            ticketId: await ticketIdOf(test, reference),
            alert: null,
          },
        },
      },
    ]);
    expect((await test.events('disclosure')).length).toBe(0);
    await test.as('ana', opens, { reference });
    const second = raised(await raiseOn(test, reference, { window: 'second' }));
    await ana.heard.until(2);
    expect(ana.heard.results[1]?.data.alerts).toMatchObject({
      kind: 'RAISED',
      alertId: second,
      alert: {
        id: second,
        rule: 'RETRIES_ELSEWHERE',
        reasons: [
          { code: 'ATTEMPTS', count: 4, countries: [] },
          { code: 'COUNTRIES', count: 2, countries: ['BR', 'NG'] },
        ],
        customer: { id: await customerOf(test, reference) },
      },
    });
    const shown = await test.events('disclosure');
    expect(shown.map(({ detail }) => (detail as { objects: { Alert?: string[] } }).objects.Alert)).toContainEqual([second]);
    await raiseOn(test, reference, { window: 'second', severity: 'HIGH' });
    await ana.heard.until(3);
    await test.as('ana', 'mutation($input: ResolveAlertInput!) { resolveAlert(input: $input) { id } }', {
      input: { id: second, resolution: 'FALSE' },
    });
    await ana.heard.until(4);
    expect(ana.heard.events.slice(2)).toEqual([
      ['UPDATED', second],
      ['ENDED', second],
    ]);
    expect(ana.heard.results[3]?.data.alerts.alert).toBeNull();
    for (const { heard } of others) expect([heard.results, heard.end]).toEqual([[], undefined]);
  });

  it('end for who had the ticket when it is reassigned, and come to who has it then', async () => {
    const ana = await subscribe('ana');
    const sam = await subscribe('sam');
    const other = demoTickets.pastedCard.reference;
    const id = raised(await raiseOn(test, other));
    await ana.heard.until(1);
    test.helpdesk.reassign(other, 'sam');
    await test.app.sources.syncAll();
    await Promise.all([ana.heard.until(2), sam.heard.until(1)]);
    await raiseOn(test, other, { severity: 'HIGH' });
    await sam.heard.until(2);
    await settled();
    expect(ana.heard.events).toEqual([
      ['NOTICE', id],
      ['ENDED', id],
    ]);
    expect(sam.heard.events).toEqual([
      ['NOTICE', id],
      ['NOTICE', id],
    ]);
  });

  it('go on after a cursor, which is its reader’s and its subscription’s alone', async () => {
    const ana = await subscribe('ana');
    const ids = [raised(await raiseOn(test, reference, { window: 'a' }))];
    await ana.heard.until(1);
    const after = ana.heard.results[0]?.data.alerts.cursor;
    await ana.stop();
    ids.push(raised(await raiseOn(test, reference, { window: 'b' })), raised(await raiseOn(test, reference, { window: 'c' })));
    const again = await subscribe('ana', { variables: { after } });
    await again.heard.until(2);
    expect(again.heard.events.map(([, id]) => id)).toEqual(ids.slice(1));
    for (const [who, variables] of [
      ['sam', { after }],
      ['ana', { after, ticketId: await ticketIdOf(test, reference) }],
      ['ana', { after: 'x' }],
    ] as const) {
      const refused = await subscribe(who, { variables });
      await refused.heard.untilEnd();
      expect(JSON.stringify([refused.heard.results, refused.heard.end])).toContain('INVALID');
    }
  });

  it('of one ticket are of that ticket, where it is within the scope', async () => {
    const ticketId = await ticketIdOf(test, demoTickets.matched.reference);
    const ana = await subscribe('ana', { variables: { ticketId } });
    await raiseOn(test, reference, { window: 'of another ticket' });
    const id = raised(await raiseOn(test, demoTickets.matched.reference));
    await ana.heard.until(1);
    expect(ana.heard.events).toEqual([['NOTICE', id]]);
    const household = await ticketIdOf(test, demoTickets.household.reference);
    const refused = await subscribe('ana', { variables: { ticketId: household } });
    await refused.heard.untilEnd();
    expect(JSON.stringify([refused.heard.results, refused.heard.end])).toContain('NOT_FOUND');
  });

  it.each([
    ['a role for it', 'pia', 'subscription { alerts { kind } }', 'DENIED'],
    ['a document that fits', 'ana', 'subscription { alerts { salary } }', 'GRAPHQL_VALIDATION_FAILED'],
    ['a subscription', 'ana', '{ viewer { id } }', 'INVALID'],
    ['a mutation', 'ana', 'mutation { endAssistance(id: "ast_x") { id } }', 'INVALID'],
    ['one root field', 'ana', 'subscription { alerts { kind } other: alerts { kind } }', 'GRAPHQL_VALIDATION_FAILED'],
    ['a field that is left out', 'ana', 'subscription { alerts @skip(if: true) { kind } }', 'INVALID'],
  ])('need %s', async (_what, who, query, code) => {
    const subscriber = await subscribe(who, { query });
    await subscriber.heard.untilEnd();
    expect(JSON.stringify([subscriber.heard.results, subscriber.heard.end])).toContain(code);
    expect(subscriber.heard.events).toEqual([]);
  });

  it('are denied without a second factor, and without a token', async () => {
    for (const token of [await test.token('ana', { mfa: false }), 'nobody']) {
      const subscriber = over(url, token);
      open.push(subscriber);
      await raiseOn(test, reference, { window: `without ${token.length}` });
      await settled();
      expect(subscriber.heard.events).toEqual([]);
    }
  });

  it('go on after a cursor for as long as what came since is kept, and say so afterwards', async () => {
    const ana = await subscribe('ana');
    for (const window of ['old 1', 'old 2', 'old 3']) await raiseOn(test, reference, { window });
    await ana.heard.until(3);
    const [first, second, third] = ana.heard.results.map(({ data }) => data.alerts.cursor as string);
    await ana.stop();
    const places = async () => Number((await test.app.database.query('SELECT COUNT(*) AS n FROM risk_alert_event'))[0]?.n);
    const all = await places();
    const day = 24 * 3_600_000;
    // Nobody says what they were: they end.
    test.clock.forward(8 * day);
    await test.app.services.alerts.expire();
    test.clock.forward(29 * day);
    const kept = await places();
    await removeHappenings(test.app.database, test.clock.now());
    expect([await places(), kept > all]).toEqual([kept, true]);
    test.clock.forward(2 * day);
    await removeHappenings(test.app.database, test.clock.now());
    // The place before all others, and the latest.
    expect(await places()).toBe(2);
    const forgotten = (await test.events('alert.forget')).map(({ detail }) => (detail as { events: number }).events);
    expect(forgotten.reduce((sum, each) => sum + each, 0)).toBe(kept - 2);
    const id = raised(await raiseOn(test, reference, { window: 'new' }));
    for (const after of [first, second, third]) {
      const refused = await subscribe('ana', { variables: { after } });
      await refused.heard.untilEnd();
      expect(JSON.stringify([refused.heard.results, refused.heard.end])).toMatch(/kept no more.*INVALID|INVALID.*kept no more/);
    }
    const again = await subscribe('ana');
    await raiseOn(test, reference, { window: 'new', severity: 'HIGH' });
    await again.heard.until(1);
    expect(again.heard.events).toEqual([['NOTICE', id]]);
    const cursor = again.heard.results[0]?.data.alerts.cursor;
    await removeHappenings(test.app.database, test.clock.now());
    await again.stop();
    const later = raised(await raiseOn(test, reference, { window: 'newer' }));
    const resumed = await subscribe('ana', { variables: { after: cursor } });
    await resumed.heard.until(1);
    expect(resumed.heard.events).toEqual([['NOTICE', later]]);
  });
});
