import { demoTickets } from '../../src/development/merchant/cast';
import { raised, raiseOn } from '../support/alerts';
import { countOf, policyWith, ticketIdOf, told } from '../support/answers';
import { TestApp } from '../support/app';
import { HeldPayments, placeMutation } from '../support/holds';

const desk = `query Desk($reference: String!) {
  ticketByReference(source: "demo", reference: $reference) {
    alerts { id state rule reasons { code } ticket { id } }
    holds { id state }
  }
}`;
const listed = 'query { tickets(first: 100) { nodes { reference alerts { id state } } } }';
const withheld = 'query Withheld($types: [String!]!) { viewer { withheld(types: $types) { field link masked lift } } }';
const own = { reference: demoTickets.own.reference };

let test: TestApp;
beforeEach(async () => {
  test = await TestApp.start();
});
afterEach(() => test.stop());

describe('a ticket', () => {
  it('comes with what is told on it, in the answer that begins the assistance', async () => {
    const id = raised(await raiseOn(test, own.reference));
    const answer = told(await test.as('ana', desk, own));
    expect(answer.errors).toEqual([]);
    expect(answer.data.ticketByReference.alerts).toEqual([
      {
        id,
        state: 'OPEN',
        rule: 'RETRIES_ELSEWHERE',
        reasons: [{ code: 'ATTEMPTS' }, { code: 'COUNTRIES' }],
        ticket: { id: await ticketIdOf(test, own.reference) },
      },
    ]);
  });

  it('shows those that are open, newest first, and ten of many', async () => {
    const ids: string[] = [];
    for (let at = 0; at < 12; at += 1) {
      test.clock.forward(1_000);
      ids.unshift(
        raised(
          await raiseOn(test, own.reference, { window: String(at), rule: at % 2 === 0 ? 'volume-spike' : 'retries-elsewhere' }),
        ),
      );
    }
    await test.as('ana', desk, own);
    const resolved = await test.as(
      'ana',
      'mutation($id: ID!) { resolveAlert(input: { id: $id, resolution: FALSE }) { state } }',
      {
        id: ids[0],
      },
    );
    expect(resolved.data.resolveAlert).toEqual({ state: 'RESOLVED' });
    const { data } = await test.as('ana', desk, own);
    expect(data.ticketByReference.alerts.map((alert: { id: string }) => alert.id)).toEqual(ids.slice(1, 11));
  });

  it('is marked in a list by the alerts on it, which no list opens, and only for whom they are told', async () => {
    const id = raised(await raiseOn(test, own.reference));
    const nodes = async (who: 'ana' | 'sam') => {
      const { data } = await test.as(who, listed);
      return data.tickets.nodes.filter((node: { alerts: unknown[] }) => node.alerts.length > 0);
    };
    expect(await nodes('ana')).toEqual([{ reference: own.reference, alerts: [{ id, state: 'OPEN' }] }]);
    // Of the ticket's team, and assisting on none of its tickets.
    expect(await nodes('sam')).toEqual([]);
  });

  it('says without a second factor that one is missing, not that there is no alert', async () => {
    raised(await raiseOn(test, own.reference));
    const token = await test.token('ana', { mfa: false });
    const { data, errors } = told(await test.as({ token }, desk, own));
    expect(data.ticketByReference).toEqual({ alerts: null, holds: null });
    expect(errors).toEqual(
      expect.arrayContaining([
        ['ticketByReference.alerts', 'DENIED', 'MFA_REQUIRED'],
        ['ticketByReference.holds', 'DENIED', 'MFA_REQUIRED'],
      ]),
    );
  });

  it('comes with what waits for its customer, under an assistance on it and no other', async () => {
    const held = new HeldPayments(test);
    await held.open('ana', own.reference);
    const ticketId = await ticketIdOf(test, own.reference);
    const input = {
      ticketId,
      effects: ['REVIEW'],
      until: held.in(3_600_000),
      reason: 'The caller says it was not them',
      idempotencyKey: 'desk-0001',
    };
    const placed = told(await test.as('ana', placeMutation, { input }));
    const { data } = await test.as('ana', desk, own);
    expect(data.ticketByReference.holds).toEqual([{ id: placed.data.placeHold.id, state: expect.any(String) }]);
    const made = told(await test.as('ana', desk, { reference: demoTickets.selfMade.reference }));
    expect(made.data.ticketByReference).toMatchObject({ holds: null });
    expect(made.errors).toEqual([['ticketByReference.holds', 'DENIED', 'SELF_MADE']]);
  });
});

describe('the reader’s own assistance', () => {
  const read = 'query($ticketId: ID!) { viewer { assistance(ticketId: $ticketId) { id state } } }';
  const end = 'mutation($id: ID!) { endAssistance(id: $id) { state } }';

  it('is told without opening the ticket, so that looking whether it has ended begins none', async () => {
    const ticketId = await ticketIdOf(test, own.reference);
    const now = async (who: string) => told(await test.as(who, read, { ticketId }));
    expect(await now('ana')).toEqual({ data: { viewer: { assistance: null } }, errors: [] });
    await test.as('ana', desk, own);
    const { data } = await now('ana');
    expect(data.viewer.assistance).toEqual({ id: expect.any(String), state: 'LIVE' });
    // It is nobody else's to know.
    for (const who of ['sam', 'ben', 'ada', 'oz']) expect((await now(who)).data?.viewer?.assistance ?? null).toBeNull();
    await test.as('ana', end, { id: data.viewer.assistance.id });
    expect((await now('ana')).data.viewer.assistance).toBeNull();
    expect(await countOf(test, 'assistance')).toBe(1);
    expect((await now('ana')).data.viewer.assistance).toBeNull();
  });

  it('is told of a ticket that isn’t there as of one on which there is none', async () => {
    expect(told(await test.as('ana', read, { ticketId: 'tkt_absent' }))).toEqual({
      data: { viewer: { assistance: null } },
      errors: [],
    });
  });
});

describe('what the policy withholds', () => {
  const fieldsOf = async (who: Parameters<TestApp['as']>[0], types: readonly string[], of = test) =>
    told(await of.as(who, withheld, { types }));

  it('is told with the link under which it is, and with what would lift it', async () => {
    const { data, errors } = await fieldsOf('ana', ['PaymentMethod']);
    expect(errors).toEqual([]);
    expect(data.viewer.withheld).toEqual(
      expect.arrayContaining([
        { field: 'PaymentMethod.last4', link: 'MATCHED', masked: true, lift: 'LINK' },
        { field: 'PaymentMethod.expiryYear', link: 'MATCHED', masked: false, lift: 'LINK' },
        { field: 'PaymentMethod.token', link: 'VERIFIED', masked: false, lift: 'POLICY' },
      ]),
    );
    const whole = data.viewer.withheld.map(({ field, link }: { field: string; link: string }) => `${field} ${link}`);
    expect(whole).not.toContain('PaymentMethod.last4 VERIFIED');
    expect(whole).not.toContain('PaymentMethod.brand VERIFIED');
  });

  it('says where no file could show more', async () => {
    const { data } = await fieldsOf('ana', ['Address']);
    expect(data.viewer.withheld).toContainEqual({ field: 'Address.line1', link: 'VERIFIED', masked: false, lift: 'POLICY' });
    expect(data.viewer.withheld).toContainEqual({ field: 'Address.postalCode', link: 'VERIFIED', masked: true, lift: 'NOTHING' });
  });

  it('is that of the reader’s own roles, and of the policy in force', async () => {
    const sams = await fieldsOf('sam', ['PaymentMethod']);
    expect(sams.data.viewer.withheld.map(({ field }: { field: string }) => field)).not.toContain('PaymentMethod.expiryYear');
    const other = await TestApp.start({ policy: policyWith(['token: { AGENT: omit,', 'token: { AGENT: reveal,']) });
    try {
      const anas = await fieldsOf('ana', ['PaymentMethod'], other);
      expect(anas.data.viewer.withheld.map(({ field }: { field: string }) => field)).not.toContain('PaymentMethod.token');
    } finally {
      await other.stop();
    }
  });

  it('leaves out what is denied, which errors tell, and types that nobody asked about', async () => {
    const token = await test.token('ana', { mfa: false });
    const { data } = await fieldsOf({ token }, ['PaymentMethod', 'Nothing']);
    // A second factor would show nothing of it either.
    const withheldThen = data.viewer.withheld.map(({ field }: { field: string }) => field);
    expect(new Set(withheldThen)).toEqual(new Set(['PaymentMethod.token']));
    const many = Array.from({ length: 21 }, (_, at) => `Type${at}`);
    expect((await fieldsOf('ana', many)).errors).toEqual([['viewer.withheld', 'INVALID', 'types']]);
  });
});
