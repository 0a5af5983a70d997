import type { SignedInActor } from '../../src/authz/actor';
import { sqlModeFault } from '../../src/db/engine';
import { demoTickets } from '../../src/development/merchant/cast';
import { Disclosures } from '../../src/features/disclosures/disclosures.service';
import type { TicketType } from '../../src/features/tickets/ticket.type';
import { ticketIsAssisted } from '../../src/features/tickets/tickets.policy';
import { RequestAccess } from '../../src/graphql/request-access';
import { known } from '../support/actor';
import { TestApp } from '../support/app';
import { tamper } from '../support/audit-log';

const subjectOf = `ticketByReference(source: "demo", reference: $reference) { id subject customer { displayName } assistance { id state } }`;
const open = `query Open($reference: String!) { ${subjectOf} }`;
const begin = `mutation Begin($ticketId: ID!) {
  beginAssistance(input: { ticketId: $ticketId, purpose: OTHER, reason: "the customer called about it" }) { id state needsApproval }
}`;

describe('what an attacker would try next', () => {
  let app: TestApp;
  beforeEach(async () => {
    app = await TestApp.start();
  });
  afterEach(() => app.stop());

  const ticketId = async (reference: string): Promise<string> => {
    const [row] = await app.app.database.query<{ id: string }>('SELECT id FROM helpdesk_ticket WHERE reference = ?', [reference]);
    return row?.id as string;
  };
  const write = (sql: string, parameters: readonly unknown[]) => tamper(app.app.database, sql, parameters);

  it('records an operation whose name alone would fill a leaf, and everybody else’s in its group', async () => {
    const named = `query ${'A'.repeat(70_000)}($reference: String!) { ${subjectOf} }`;
    const answers = await Promise.all([
      app.as('ana', named, { reference: demoTickets.own.reference }),
      app.as('ben', open, { reference: demoTickets.otherTeam.reference }),
    ]);
    expect(answers.map(({ status, errors }) => ({ status, errors }))).toEqual(answers.map(() => ({ status: 200 })));
    const [disclosure] = await app.events('disclosure');
    expect(JSON.stringify(disclosure).length).toBeLessThan(5_000);
  });

  it('records a response of more tickets and customers than one leaf holds, in several events of one transaction', async () => {
    const ids = (prefix: string) => Array.from({ length: 2_500 }, (_, index) => `${prefix}_${String(index).padStart(26, '0')}`);
    const disclosures = new Disclosures(app.app.database, app.clock.now, () => {});
    const actor: SignedInActor = {
      kind: 'staff',
      id: 'act_00000000000000000000000000',
      roles: ['SUPERVISOR'],
      teams: [],
      mfa: true,
      authenticatedAt: null,
      expiresAt: new Date(),
      staffIds: [],
      helpdesks: [],
    };
    await known(app.app.database, actor);
    await disclosures.record({
      actor,
      operation: 'Many',
      plan: {
        digest: 'd'.repeat(64),
        operation: 'operation',
        policy: 'policy',
        links: ['NONE'],
        fields: [['Ticket.subject', 'reveal']],
      },
      fields: [{ field: 'Ticket.subject', link: 'NONE', verdict: 'reveal', count: 2_500 }],
      ticketIds: ids('tkt'),
      customers: ids('cus').map((id) => ({ id, digest: () => 'd'.repeat(43) })),
      objects: { Ticket: ids('tkt') },
      assistanceIds: [],
      assistedTicketId: null,
      validUntil: null,
    });
    const events = (await app.events('disclosure')) as { tx: string; customers: string[]; detail: { tickets: string[] } }[];
    expect(new Set(events.map(({ tx }) => tx)).size).toBe(1);
    expect(events.flatMap(({ detail }) => detail.tickets).sort()).toEqual(ids('tkt'));
    expect(events.flatMap(({ customers }) => customers)).toHaveLength(2_500);
    for (const event of events) expect(JSON.stringify(event).length).toBeLessThan(65_000);
  });

  it('lets nobody whom the helpdesk doesn’t know vouch for themselves', async () => {
    const { reference } = demoTickets.unassigned;
    app.helpdesk.setCustomer(reference, app.helpdesk.merchant.helpdeskCustomer(9).reference, 'sam');
    await app.app.sources.syncAll();
    // The helpdesk lets people edit their own address: then nobody knows that this is Sam.
    await write('UPDATE helpdesk_staff SET login_digest = ?, email_digest = NULL WHERE reference = ?', ['edited', 'sam']);
    const { data, errors } = await app.as('sam', begin, { ticketId: await ticketId(reference) });
    expect(errors).toBeUndefined();
    expect(data.beginAssistance).toMatchObject({ state: 'WAITING', needsApproval: true });
  });

  it('shows nothing of a ticket’s conversation on an assistance that was for its former customer', () => {
    const access = new RequestAccess(new Map(), { digest: () => '' });
    access.grant({ id: 'ast_1', ticketId: 'tkt_1', customerId: 'cus_former', expiresAt: new Date() });
    const ticket = { id: 'tkt_1', customerId: 'cus_other' } as TicketType;
    expect(ticketIsAssisted({ access, actor: {} as SignedInActor }, ticket)).toBe('NO_ASSISTANCE');
  });

  it('ends the assistance on the ticket of an erased customer when it is reassigned', async () => {
    const { reference } = demoTickets.own;
    const opened = await app.as('ana', open, { reference });
    expect(opened.data.ticketByReference.assistance.state).toBe('LIVE');
    await write(
      'UPDATE privacy_customer_key SET wrapped = NULL WHERE owner = (SELECT customer_id FROM helpdesk_ticket WHERE reference = ?)',
      [reference],
    );
    app.helpdesk.reassign(reference, 'chloe');
    await app.app.sources.syncAll();
    const [row] = await app.app.database.query<{ end_reason: string | null }>('SELECT end_reason FROM assistance WHERE id = ?', [
      opened.data.ticketByReference.assistance.id,
    ]);
    expect(row?.end_reason).toBe('REASSIGNED');
  });

  it('ends the assistance on a ticket that vanished from the helpdesk without a word', async () => {
    const { reference } = demoTickets.own;
    const opened = await app.as('ana', open, { reference });
    app.helpdesk.fetchTicket = async () => null;
    // All others are there as before: an account that saw none of them any more would prove nothing.
    app.helpdesk.visibleTickets = async (asked) => new Set(asked.filter((each) => each !== reference));
    app.clock.forward(1_000);
    await app.app.sources.syncAll();
    const [row] = await app.app.database.query<{ end_reason: string | null }>('SELECT end_reason FROM assistance WHERE id = ?', [
      opened.data.ticketByReference.assistance.id,
    ]);
    expect(row?.end_reason).toBe('TICKET_CLOSED');
    const again = await app.as('ana', open, { reference });
    expect(again.data.ticketByReference?.customer ?? null).toBeNull();
  });

  it('names in the record of a shown reason whom the reason is about', async () => {
    const id = await ticketId(demoTickets.unassigned.reference);
    await app.as('ana', begin, { ticketId: id });
    const { data } = await app.as('sam', '{ assistancesToApprove { id reason } }');
    expect(data.assistancesToApprove[0].reason).toBe('the customer called about it');
    const [disclosure] = (await app.events('disclosure')) as { customers: string[]; detail: { tickets: string[] } }[];
    expect(disclosure).toMatchObject({ customers: [expect.any(String)], detail: { tickets: [id] } });
  });

  it('takes a helpdesk’s queue by its own name, whatever every object calls its own', async () => {
    const { reference } = demoTickets.own;
    const fetch = app.helpdesk.fetchTicket.bind(app.helpdesk);
    app.helpdesk.fetchTicket = async (asked) => {
      const snapshot = await fetch(asked);
      return snapshot && { ...snapshot, ticket: { ...snapshot.ticket, team: 'constructor' } };
    };
    app.clock.forward(31_000);
    const { data, errors } = await app.as('ana', open, { reference });
    expect({ errors, state: data.ticketByReference.assistance.state }).toEqual({ state: 'LIVE' });
  });

  it('keeps a position of ten thousand characters: a busy helpdesk is read on', async () => {
    const cursor = 'x'.repeat(10_000);
    app.helpdesk.poll = async function* () {
      yield { tickets: [], cursor, complete: true, asOf: new Date(Date.UTC(2026, 8, 2)) };
    };
    await app.app.sources.syncAll();
    const [state] = await app.app.database.query("SELECT position FROM upstream_source WHERE name = 'demo'");
    expect(state?.position).toBe(cursor);
  });

  it('stores a bank or a queue with a longer name than there is room for, shortened, and all others with it', async () => {
    const fetchCustomer = app.payments.fetchCustomer.bind(app.payments);
    const bank = 'Banco Bilbao Vizcaya Argentaria, Sociedad Anónima';
    app.payments.fetchCustomer = async (asked, since) => {
      const snapshot = await fetchCustomer(asked, since);
      return snapshot && { ...snapshot, methods: snapshot.methods.map((method) => ({ ...method, brand: bank })) };
    };
    const fetchTicket = app.helpdesk.fetchTicket.bind(app.helpdesk);
    app.helpdesk.fetchTicket = async (asked) => {
      const snapshot = await fetchTicket(asked);
      return snapshot && { ...snapshot, ticket: { ...snapshot.ticket, team: 'q'.repeat(200) } };
    };
    app.clock.forward(600_000);
    const { data, errors } = await app.as(
      'ana',
      `query Open($reference: String!) {
        ticketByReference(source: "demo", reference: $reference) { team customer { paymentsFreshness { stale } paymentMethods { brand } } }
      }`,
      { reference: demoTickets.own.reference },
    );
    expect(errors).toBeUndefined();
    expect(data.ticketByReference.team).toBe('q'.repeat(128));
    expect(data.ticketByReference.customer.paymentsFreshness.stale).toBe(false);
    expect(data.ticketByReference.customer.paymentMethods[0].brand).toBe(bank.slice(0, 32));
  });

  it('takes no server that cuts what is too long, or whose texts end where the driver’s quoting doesn’t', () => {
    const usual = 'STRICT_TRANS_TABLES,ERROR_FOR_DIVISION_BY_ZERO,NO_AUTO_CREATE_USER,NO_ENGINE_SUBSTITUTION';
    expect(['', 'ANSI', `${usual},NO_BACKSLASH_ESCAPES`, usual].map(sqlModeFault)).toEqual([
      expect.stringContaining('STRICT'),
      expect.stringContaining('STRICT'),
      expect.stringContaining('BACKSLASH'),
      null,
    ]);
  });
});
