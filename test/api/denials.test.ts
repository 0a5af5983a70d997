import { demoTickets } from '../../src/development/merchant/cast';
import { eventsOf, ticketIdOf, told } from '../support/answers';
import { type GraphQLAnswer, TestApp } from '../support/app';
import { approveUpdate, cancelUpdate, rejection, rejectUpdate, Updates } from '../support/credentials';
import { OtherIssuer } from '../support/other-issuer';
import { recordOf, replaceRecorder } from '../support/recorder';
import { helpdeskCustomer, ScriptedHelpdesk, ScriptedPayments } from '../support/scripted-sources';

const begin = (alias: string, id: string) =>
  `${alias}: beginAssistance(input: { ticketId: "${id}", purpose: DECLINE, reason: "The caller asks about a payment" }) { id }`;
const open = (alias: string, id: string, selection = 'customer { displayName }') =>
  `${alias}: ticket(id: "${id}") { ${selection} }`;

interface Denied {
  readonly rule: string;
  readonly reason: string;
  readonly count: number;
  readonly tickets?: readonly string[];
}

/** Rule, reason and number of the denials that some work leaves, and which tickets each event names; those only counted so far included. */
const denialsOf = async (test: TestApp, work: () => Promise<unknown>) => {
  const flush = () => recordOf(test.app).denials.close();
  await flush();
  const events = await eventsOf(test, async () => {
    await work();
    await flush();
  });
  return events
    .filter(({ action }) => action === 'denial')
    .map(({ ticket, detail }) => {
      const { rule, reason, count, tickets } = detail as unknown as Denied;
      return [rule, reason, count, tickets ?? ticket];
    });
};
/** An event is found by whichever of its tickets is asked for. */
const foundBy = async (test: TestApp, ticketId: string): Promise<number> => {
  const rows = await test.app.database.query(
    "SELECT e.id FROM audit_event e WHERE e.action = 'denial' AND (e.ticket_id = ? OR EXISTS (SELECT 1 FROM audit_ticket t WHERE t.event_id = e.id AND t.ticket_id = ?))",
    [ticketId, ticketId],
  );
  return rows.length;
};

describe('a denial by a ticket that was opened', () => {
  let test: TestApp;
  let ids: Record<keyof typeof demoTickets, string>;
  beforeAll(async () => {
    test = await TestApp.start();
    const named = Object.entries(demoTickets).map(async ([name, { reference }]) => [name, await ticketIdOf(test, reference)]);
    ids = Object.fromEntries(await Promise.all(named));
    await test.as('ana', '{ viewer { id } }');
  });
  afterAll(() => test.stop());

  it('names that ticket, whichever of two was opened first', async () => {
    const { selfMade, readdressed } = ids;
    for (const [first, second] of [
      [selfMade, readdressed],
      [readdressed, selfMade],
    ] as const) {
      const events = await denialsOf(test, async () => {
        const { errors } = told(await test.as('ana', `{ ${open('a', first)} ${open('b', second)} }`));
        expect(errors.sort()).toEqual([
          ['a.customer', 'DENIED', 'SELF_MADE'],
          ['b.customer', 'DENIED', 'SELF_MADE'],
        ]);
      });
      expect(events).toHaveLength(2);
      expect(events).toEqual(
        expect.arrayContaining([
          ['Ticket.customer', 'SELF_MADE', 1, first],
          ['Ticket.customer', 'SELF_MADE', 1, second],
        ]),
      );
    }
    expect([await foundBy(test, selfMade), await foundBy(test, readdressed)]).toEqual([2, 2]);
  });

  it('names each of three by its own reason', async () => {
    const { selfMade, closed, unassigned } = ids;
    const events = await denialsOf(test, () =>
      test.as('ana', `{ ${open('a', closed)} ${open('b', selfMade)} ${open('c', unassigned)} }`),
    );
    expect(events).toHaveLength(3);
    expect(events).toEqual(
      expect.arrayContaining([
        ['Ticket.customer', 'TICKET_CLOSED', 1, closed],
        ['Ticket.customer', 'SELF_MADE', 1, selfMade],
        ['Ticket.customer', 'NO_ASSISTANCE', 1, unassigned],
      ]),
    );
  });

  it('names both tickets of two that were counted together, and none besides', async () => {
    const { own, selfMade, readdressed, closed } = ids;
    const events = await denialsOf(test, async () => {
      await test.as('ana', `{ ${open('a', selfMade)} }`);
      await test.as('ana', `{ ${open('a', own)} ${open('b', selfMade)} ${open('c', readdressed)} ${open('d', closed)} }`);
    });
    expect(events).toHaveLength(3);
    expect(events).toEqual(
      expect.arrayContaining([
        ['Ticket.customer', 'SELF_MADE', 1, selfMade],
        ['Ticket.customer', 'SELF_MADE', 2, [selfMade, readdressed].sort()],
        ['Ticket.customer', 'TICKET_CLOSED', 1, closed],
      ]),
    );
    expect(await foundBy(test, own)).toBe(0);
  });

  it('names a ticket that was met in a list by its own row', async () => {
    const events = await denialsOf(test, async () => {
      const { data, errors = [] } = await test.as('ana', '{ tickets(first: 50) { nodes { id customer { id } } } }');
      const denied = errors.map(({ path = [] }) => data.tickets.nodes[path[2] as number].id as string);
      expect(denied.length).toBeGreaterThan(3);
      expect(await test.as('ana', '{ tickets(first: 1) { nodes { id } } }')).toMatchObject({ status: 200 });
    });
    const [first, rest] = events.sort(([, , a], [, , b]) => Number(a) - Number(b));
    expect(events).toHaveLength(2);
    expect(typeof first?.[3]).toBe('string');
    expect(rest?.[3]).toHaveLength(rest?.[2] as number);
    expect(rest?.[3]).not.toContain(first?.[3]);
  });

  it('decided by the plan, before anybody knows the ticket, names none', async () => {
    const weak = { token: await test.token('ana', { mfa: false }) };
    const { own, selfMade } = ids;
    const events = await denialsOf(test, async () => {
      const { errors } = told(await test.as(weak, `{ ${open('a', own)} ${open('b', selfMade)} }`));
      expect(errors.map(([, ...rest]) => rest)).toEqual([
        ['DENIED', 'MFA_REQUIRED'],
        ['DENIED', 'MFA_REQUIRED'],
      ]);
    });
    expect(events).toEqual([
      ['Ticket.customer', 'MFA_REQUIRED', 1, null],
      ['Ticket.customer', 'MFA_REQUIRED', 1, null],
    ]);
  });

  it('of another field in the same answer isn’t taken for it', async () => {
    const { own, selfMade } = ids;
    const score = 'customer { transactions(first: 1) { nodes { risk { score } } } }';
    const events = await denialsOf(test, () => test.as('ana', `{ ${open('a', own, score)} ${open('b', selfMade, score)} }`));
    expect(events).toHaveLength(2);
    expect(events).toEqual(
      expect.arrayContaining([
        ['Risk.score', 'ROLE', 1, null],
        ['Ticket.customer', 'SELF_MADE', 1, selfMade],
      ]),
    );
  });

  it('outside the scope names none, whether the ticket exists or not', async () => {
    const events = await denialsOf(test, () => test.as('ana', `{ ${open('a', ids.household)} ${open('b', 'tkt_absent')} }`));
    expect(events).toEqual([
      ['scope', 'NOT_FOUND', 1, null],
      ['scope', 'NOT_FOUND', 1, null],
    ]);
  });

  it('of a mutation names the ticket of each', async () => {
    const { closed, noCustomer } = ids;
    const events = await denialsOf(test, async () => {
      for (const id of [closed, noCustomer]) await test.as('ana', `mutation { ${begin('a', id)} }`);
    });
    expect(events).toEqual(
      expect.arrayContaining([
        ['assistance.request', 'TICKET_CLOSED', 1, closed],
        ['assistance.request', 'NO_ASSISTANCE', 1, noCustomer],
      ]),
    );
    const refused = await denialsOf(test, () => test.as('pia', `mutation { ${begin('a', closed)} }`));
    // The plan refuses it by the role; what the caller wrote about isn't looked at.
    expect(refused).toEqual([['Mutation.beginAssistance', 'ROLE', 1, null]]);
  });

  it('tells the caller nothing of the ticket’s id that was not asked for', async () => {
    const { selfMade, closed } = ids;
    const reads = await test.as(
      'ana',
      '{ ticketByReference(source: "demo", reference: "1004") { customer { id } } tickets(first: 50) { nodes { subject customer { id } } } }',
    );
    const { data } = await test.as('ana', `mutation { ${begin('a', ids.unassigned)} }`);
    const approve = await test.as('sam', `mutation { approveAssistance(id: "${data.a.id}") { id } }`);
    expect(told(approve).errors).toEqual([]);
    const begins = await test.as(
      'ana',
      'mutation ($id: ID!) { beginAssistance(input: { ticketId: $id, purpose: DECLINE, reason: "The caller asks about it" }) { id } }',
      { id: closed },
    );
    expect(reads.errors?.length).toBeGreaterThan(0);
    expect(told(begins).errors).toEqual([['beginAssistance', 'DENIED', 'TICKET_CLOSED']]);
    expect(JSON.stringify([reads, begins])).not.toMatch(/tkt_|ticketId/);
    expect(JSON.stringify(reads.errors)).not.toContain(selfMade);
    expect(unpromised([reads, begins])).toEqual([]);
  });
});

/** Members of the answers' extensions that the interface doesn't promise. */
const unpromised = (answers: readonly GraphQLAnswer[]): readonly string[] => {
  const promised = new Set(['code', 'reason', 'rule', 'argument', 'remedy', 'retryAfter', 'requestId']);
  return answers
    .flatMap(({ errors = [] }) => errors.flatMap(({ extensions }) => Object.keys(extensions)))
    .filter((name) => !promised.has(name));
};

describe('a denial by the state of a ticket', () => {
  const helpdesk = new ScriptedHelpdesk('demo');
  const payments = new ScriptedPayments('demo-pay');
  let test: TestApp;
  const quota = 40;
  beforeAll(async () => {
    for (let number = 1; number <= quota + 3; number += 1) helpdesk.put(String(number));
    helpdesk.put('away', { assignee: 'ben', customer: helpdeskCustomer('away') });
    test = await TestApp.start({ connectors: { demo: helpdesk, 'demo-pay': payments } });
    helpdesk.now = test.clock.now;
    payments.now = test.clock.now;
  });
  afterAll(() => test.stop());

  it('beyond the quota names the tickets that were beyond it', async () => {
    const token = await test.token('ana');
    for (let number = 1; number <= quota; number += 1)
      await test.as({ token }, `{ ${open('a', await ticketIdOf(test, String(number)))} }`);
    const beyond = [await ticketIdOf(test, String(quota + 1)), await ticketIdOf(test, String(quota + 2))] as const;
    const events = await denialsOf(test, () => test.as({ token }, `{ ${open('a', beyond[0])} ${open('b', beyond[1])} }`));
    expect(events).toHaveLength(2);
    expect(events).toEqual(expect.arrayContaining(beyond.map((id) => ['Ticket.customer', 'QUOTA', 1, id])));
  });

  it('whose assignment nobody confirms names each ticket with what was denied of it', async () => {
    const [one, two] = [await ticketIdOf(test, '1'), await ticketIdOf(test, '2')];
    test.clock.forward(120_000);
    helpdesk.goDown();
    const events = await denialsOf(test, async () => {
      await test.as('ana', `{ ${open('a', one, 'subject customer { id }')} ${open('b', two, 'subject')} }`);
    });
    helpdesk.comeBack();
    expect(events).toHaveLength(3);
    expect(events).toEqual(
      expect.arrayContaining([
        ['Ticket.subject', 'STALE', 1, one],
        ['Ticket.subject', 'STALE', 1, two],
        ['Ticket.customer', 'STALE', 1, one],
      ]),
    );
  });

  it('of more rows than a page holds is told row by row for a hundred, and of the others once a list; the log counts and names all', async () => {
    test.clock.forward(3_600_000);
    const page = (alias: string) => `${alias}: tickets(first: 40) { nodes { id subject } }`;
    let answer: GraphQLAnswer | undefined;
    const events = await denialsOf(test, async () => {
      answer = await test.as('ana', `{ ${['a', 'b', 'c', 'd'].map(page).join(' ')} }`);
    });
    const paths = (answer?.errors ?? []).map(({ path = [] }) => path.join('.'));
    type Page = { readonly nodes: readonly { readonly id: string; readonly subject: string | null }[] };
    const rows = Object.entries(answer?.data as Record<string, Page>).flatMap(([alias, { nodes }]) =>
      nodes.map(({ id, subject }, at) => ({ id, subject, path: `${alias}.nodes.${at}.subject` })),
    );
    // Those with an assistance may have been confirmed since.
    const denied = rows.filter(({ subject }) => subject === null);
    expect(denied.length).toBeGreaterThan(120);
    expect(paths.filter((path) => /^[a-d]\.nodes\.\d+\.subject$/.test(path))).toHaveLength(100);
    const lists = paths.filter((path) => /^[a-d]\.nodes$/.test(path));
    expect(lists.length).toBeGreaterThan(0);
    expect(new Set(lists).size).toBe(lists.length);
    expect(paths).toHaveLength(100 + lists.length);
    // Every null without an error of its own stands in a list that has one.
    for (const { path } of denied.filter((each) => !paths.includes(each.path)))
      expect(lists).toContain(path.slice(0, 'a.nodes'.length));
    expect(events.reduce((sum, [, , count]) => sum + Number(count), 0)).toBe(100 + lists.length);
    expect(new Set(events.flatMap(([, , , tickets]) => tickets))).toEqual(new Set(denied.map(({ id }) => id)));
  });
});

describe('a denial about an assistance or an update', () => {
  let test: TestApp;
  let updates: Updates;
  let issuer: OtherIssuer;
  beforeAll(async () => {
    issuer = await OtherIssuer.open();
    test = await TestApp.start({ config: { issuers: [issuer.configuration] } });
    updates = new Updates(test);
  });
  afterAll(() => test.stop());
  const anaAsSupervisor = async () => ({
    token: await issuer.token('ana', { roles: ['AGENT', 'SUPERVISOR'], teams: ['cards'] }, test.clock.now()),
  });

  it('names the ticket that the assistance is on', async () => {
    const ticketId = await ticketIdOf(test, demoTickets.unassigned.reference);
    const { data } = await test.as('ana', `mutation { ${begin('a', ticketId)} }`);
    const stale = { token: await test.token('sam', { authenticatedAt: new Date(test.clock.now().getTime() - 3_600_000) }) };
    const events = await denialsOf(test, () => test.as(stale, `mutation { approveAssistance(id: "${data.a.id}") { id } }`));
    expect(events).toEqual([['assistance.approve', 'RECENT_LOGIN_REQUIRED', 1, ticketId]]);
  });

  it('names the ticket of an update that may not be requested, approved, rejected or called off', async () => {
    const of = await updates.next({ methods: 1, subscribed: false });
    const { id, token } = await updates.asked(of, of.usual, 'REMOVE');
    expect((await updates.confirm(token)).outcome).toBe('confirmed');
    const ana = await anaAsSupervisor();
    const weak = { token: await test.token('ana', { mfa: false }) };
    const closed = await updates.next();
    test.helpdesk.close(closed.reference);
    await test.app.sources.syncAll();
    const events = await denialsOf(test, async () => {
      await test.as(ana, approveUpdate, { id });
      await test.as(ana, rejectUpdate, { id, reason: rejection });
      await test.as(weak, cancelUpdate, { id });
      await updates.request(closed, closed.usual, 'BILLING_ADDRESS');
    });
    expect(events).toHaveLength(4);
    expect(events).toEqual(
      expect.arrayContaining([
        ['credential.approve', 'OWN_REQUEST', 1, of.ticketId],
        ['credential.reject', 'OWN_REQUEST', 1, of.ticketId],
        ['credential.cancel', 'MFA_REQUIRED', 1, of.ticketId],
        ['credential.request', 'TICKET_CLOSED', 1, closed.ticketId],
      ]),
    );
  });

  it('names the ticket on which what was shown stood, when its assistance ended before the answer left', async () => {
    const of = await updates.next();
    const leases = Reflect.get(recordOf(test.app).disclosures, 'leases') as Map<string, number>;
    leases.clear();
    let ended: Promise<unknown> | undefined;
    const [assistance] = await test.app.database.query<{ id: string }>(
      'SELECT id FROM assistance WHERE ticket_id = ? AND ended_at IS NULL',
      [of.ticketId],
    );
    const restore = replaceRecorder(test.app.database, async (write, work) => {
      ended ??= test.as('sam', `mutation { endAssistance(id: "${assistance?.id}") { state } }`);
      restore();
      await ended;
      return write(work);
    });
    const events = await denialsOf(test, async () => {
      const answer = told(await test.as('ana', `{ ${open('a', of.ticketId)} }`));
      restore();
      expect(answer).toEqual({ data: null, errors: [['', 'DENIED', 'ASSISTANCE_ENDED']] });
    });
    expect(events).toEqual([['disclosure', 'ASSISTANCE_ENDED', 1, of.ticketId]]);
  });
});
