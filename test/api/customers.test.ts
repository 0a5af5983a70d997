import { demoTickets } from '../../src/development/merchant/cast';
import { told } from '../support/answers';
import { TestApp } from '../support/app';

const byId = `query ($id: ID!) {
  customer(id: $id) { id displayName email phone region link paymentMethods { brand last4 } transactions(first: 1) { totalCount } }
}`;

describe('a customer by id', () => {
  let test: TestApp;
  const ids = new Map<string, string>();
  beforeAll(async () => {
    test = await TestApp.start();
    const rows = await test.app.database.query<{ reference: string; customer_id: string }>(
      'SELECT reference, customer_id FROM helpdesk_ticket WHERE customer_id IS NOT NULL',
    );
    for (const row of rows) ids.set(row.reference, row.customer_id);
    await test.as('ana', '{ ticketByReference(source: "demo", reference: "1001") { id } }');
    await test.as('ana', '{ ticketByReference(source: "demo", reference: "1002") { id } }');
  });
  afterAll(() => test.stop());
  const idOf = (reference: string) => ids.get(reference) ?? '';

  it('is whom a live assistance of the asker covers, masked as the role has it', async () => {
    const id = idOf(demoTickets.own.reference);
    expect(told(await test.as('ana', byId, { id }))).toEqual({
      data: {
        customer: {
          id,
          displayName: expect.any(String),
          email: expect.stringMatching(/^.•••@.•••\.[a-z]+$/u),
          phone: expect.stringContaining('•'),
          region: expect.stringMatching(/^[A-Z]{2}$/),
          link: 'VERIFIED',
          paymentMethods: expect.arrayContaining([{ brand: expect.any(String), last4: expect.stringMatching(/^\d{4}$/) }]),
          transactions: { totalCount: 20 },
        },
      },
      errors: [],
    });
  });

  it('shows less where the link is only MATCHED', async () => {
    const { data, errors } = told(await test.as('ana', byId, { id: idOf(demoTickets.matched.reference) }));
    expect(errors).toEqual([]);
    expect(data.customer.link).toBe('MATCHED');
    for (const { last4 } of data.customer.paymentMethods) expect(last4).not.toMatch(/\d/);
  });

  it('is NOT_FOUND in the same words for everybody else’s, absent and malformed ones', async () => {
    const absent = await test.as('ana', byId, { id: 'cus_01ARZ3NDEKTSV4RRFFQ69G5FAV' });
    expect(told(absent)).toEqual({ data: { customer: null }, errors: [['customer', 'NOT_FOUND']] });
    const others = [
      idOf(demoTickets.otherTeam.reference),
      idOf(demoTickets.suspicious.reference),
      idOf(demoTickets.selfMade.reference),
      idOf(demoTickets.own.reference).toLowerCase(),
      `${idOf(demoTickets.own.reference)} `,
      '',
      '%',
      '\u0000',
      "' OR '1'='1",
      'x'.repeat(10_000),
      '𝒸us',
    ];
    for (const id of others) expect([id, await test.as('ana', byId, { id })]).toEqual([id, absent]);
    // Covered for Ana is not covered for Ben, nor for her supervisor.
    for (const who of ['ben', 'sam']) expect(await test.as(who, byId, { id: idOf(demoTickets.own.reference) })).toEqual(absent);
  });

  it.each(['pia', 'ada', 'pru', 'pip', 'oz'])('is denied to %s by role, before anybody is looked up', async (who) => {
    const real = await test.as(who, byId, { id: idOf(demoTickets.own.reference) });
    expect(told(real)).toEqual({ data: { customer: null }, errors: [['customer', 'DENIED', 'ROLE']] });
    expect(await test.as(who, byId, { id: 'cus_absent' })).toEqual(real);
  });

  it('is nobody without a second factor, whoever is covered', async () => {
    const token = await test.token('ana', { mfa: false });
    const { data, errors } = told(await test.as({ token }, byId, { id: idOf(demoTickets.own.reference) }));
    expect(data.customer).toEqual({
      id: idOf(demoTickets.own.reference),
      displayName: null,
      email: null,
      phone: null,
      region: null,
      link: null,
      paymentMethods: null,
      transactions: null,
    });
    expect(new Set(errors.map(([, code, reason]) => `${code} ${reason}`))).toEqual(new Set(['DENIED MFA_REQUIRED']));
  });
});
