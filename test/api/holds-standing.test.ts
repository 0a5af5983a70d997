import { rowsWithoutEvent } from '../../src/cli/rows-without-event';
import { demoTickets } from '../../src/development/merchant/cast';
import type { HeldSubjects } from '../../src/features/holds/holds.service';
import type { HoldDraft, PlacedHold } from '../../src/features/holds/placing';
import { customerOf } from '../support/alerts';
import { countOf } from '../support/answers';
import { TestApp } from '../support/app';
import { tamper } from '../support/audit-log';
import { subjectsOf } from '../support/holds';

const hour = 3_600_000;

describe('a hold as rules place it', () => {
  let test: TestApp;
  let customerId: string;
  let other: string;
  beforeEach(async () => {
    test = await TestApp.start();
    customerId = await customerOf(test, demoTickets.own.reference);
    other = await customerOf(test, demoTickets.matched.reference);
  });
  const look = async (): Promise<readonly string[]> => (await rowsWithoutEvent(test.app.database)).findings;
  afterEach(async () => {
    expect(await look()).toEqual([]);
    await test.stop();
  });

  const draft = (given: Partial<HoldDraft> = {}): HoldDraft => ({
    key: 'recovery-then-payment',
    cause: 'RULE',
    isProposal: false,
    ticketId: null,
    customerIds: [customerId],
    transactionId: null,
    emailDomain: null,
    effects: ['BLOCK_NEW', 'REVIEW'],
    until: new Date(test.clock.now().getTime() + hour),
    rule: 'recovery-then-payment',
    ruleVersion: 1,
    restsOn: ['demo-pay/evt_1', 'demo-pay/evt_2'],
    reason: null,
    ...given,
  });
  const place = (given: Partial<HoldDraft> = {}): Promise<PlacedHold> =>
    test.app.database.system('worker', 'hold.place', (change) => test.app.services.holds.place(change, draft(given)));
  const placed = async (given: Partial<HoldDraft> = {}): Promise<string> => {
    const outcome = await place(given);
    if ('refused' in outcome) throw new Error(outcome.refused);
    return outcome.id;
  };
  const standing = async (of: Partial<HeldSubjects>) => {
    const all = { ...(await subjectsOf(test, of.customerIds ?? [])), ...of };
    const found = await test.app.services.holds.standing(test.app.database, all);
    return found.map(({ id, effects }) => [
      id,
      effects
        .map(({ kind }) => kind)
        .sort()
        .join(' '),
    ]);
  };

  it('stands in the way of its customer’s payments until its end, and of nobody else’s', async () => {
    const id = await placed();
    expect(await standing({ customerIds: [customerId] })).toEqual([[id, 'BLOCK_NEW REVIEW']]);
    expect(await standing({ customerIds: [other] })).toEqual([]);
    expect(await standing({})).toEqual([]);
    test.clock.forward(hour - 1);
    expect(await standing({ customerIds: [other, customerId] })).toEqual([[id, 'BLOCK_NEW REVIEW']]);
    test.clock.forward(1);
    expect(await standing({ customerIds: [customerId] })).toEqual([]);
  });

  it('that is proposed stands in nobody’s way', async () => {
    await placed({ isProposal: true });
    expect(await standing({ customerIds: [customerId] })).toEqual([]);
    expect(await test.events('hold.propose')).toHaveLength(1);
  });

  it('is one for each key while it is open, and another one once its time is over', async () => {
    const first = await placed();
    expect(await place()).toEqual({ id: first, isNew: false });
    const second = await placed({ key: 'something else' });
    expect(second).not.toBe(first);
    test.clock.forward(hour);
    const next = await placed();
    expect(next).not.toBe(first);
    expect(await standing({ customerIds: [customerId] })).toEqual([[next, 'BLOCK_NEW REVIEW']]);
    const ends = (await test.events('hold.expire')).map(({ detail }) => (detail as { to: string }).to);
    expect(ends.sort()).toEqual(['EXPIRED', 'RELEASING']);
  });

  it('covers every customer of a group, and the domain that it names', async () => {
    const id = await placed({ customerIds: [customerId, other], emailDomain: 'digest of a domain', effects: ['REVIEW'] });
    for (const asked of [{ customerIds: [other] }, { customerIds: [customerId] }, { emailDomain: 'digest of a domain' }])
      expect(await standing(asked)).toEqual([[id, 'REVIEW']]);
    expect(await standing({ emailDomain: 'digest of another' })).toEqual([]);
    const [event] = await test.events('hold.place');
    expect(event?.detail).toMatchObject({ kind: 'GROUP', restsOn: ['demo-pay/evt_1', 'demo-pay/evt_2'] });
    expect(event?.customers).toHaveLength(2);
    expect(JSON.stringify(event)).not.toContain(customerId);
  });

  it('of a domain alone covers that', async () => {
    const id = await placed({ customerIds: [], emailDomain: 'digest of a domain', effects: ['REVIEW'] });
    expect(await standing({ emailDomain: 'digest of a domain' })).toEqual([[id, 'REVIEW']]);
  });

  it('of one payment defers that one alone, and is about whoever paid beside it', async () => {
    const [payment, another] = await test.app.database.query<{ id: string }>(
      `SELECT t.id FROM payment_transaction t JOIN helpdesk_customer c ON c.payment_customer_id = t.payment_customer_id
       WHERE c.id = ? ORDER BY t.id`,
      [customerId],
    );
    if (!payment || !another) throw new Error('too few payments');
    const id = await placed({ transactionId: payment.id, effects: ['DEFER_CAPTURE', 'HOLD_ORDER', 'BLOCK_NEW'] });
    expect(await standing({ customerIds: [customerId], transactionIds: [payment.id] })).toEqual([
      [id, 'BLOCK_NEW DEFER_CAPTURE HOLD_ORDER'],
    ]);
    expect(await standing({ transactionIds: [payment.id] })).toEqual([[id, 'BLOCK_NEW DEFER_CAPTURE HOLD_ORDER']]);
    expect(await standing({ customerIds: [customerId], transactionIds: [another.id] })).toEqual([[id, 'BLOCK_NEW']]);
  });

  it('stands a day at most', async () => {
    await placed({ until: new Date(test.clock.now().getTime() + 90 * hour) });
    test.clock.forward(24 * hour - 1);
    expect(await standing({ customerIds: [customerId] })).toHaveLength(1);
    test.clock.forward(1);
    expect(await standing({ customerIds: [customerId] })).toEqual([]);
  });

  it('is refused where the customer has many, or was erased', async () => {
    for (let n = 0; n < 20; n += 1) await placed({ key: `rule ${n}` });
    expect(await place({ key: 'one more' })).toEqual({ refused: 'enough' });
    await tamper(test.app.database, 'UPDATE privacy_customer_key SET wrapped = NULL WHERE owner = ?', [other]);
    expect(await place({ customerIds: [other] })).toEqual({ refused: 'erased' });
    expect(await countOf(test, 'payment_hold')).toBe(20);
  });

  it.each([
    ['payment_hold', "state = 'ACTIVE'", 'state'],
    ['payment_hold', 'expires_at = expires_at + 1', 'expiresAt'],
    ['payment_hold', "customer_ids = '[]'", 'customerIds'],
    ['payment_hold', "payer_ids = '[]'", 'payerIds'],
    ['payment_hold', 'payer_ids = NULL', 'payerIds'],
    ['payment_hold', "moves = '[]'", 'history'],
    ['payment_hold', "cause = 'AGENT'", 'cause'],
    ['payment_hold', "email_domain = 'x'", 'emailDomain'],
    ['payment_hold', 'open_key = NULL', 'openKey'],
    ['payment_hold_effect', "state = 'APPLIED'", 'state'],
    ['payment_hold_effect', "enforced_by = 'PROVIDER'", 'enforcedBy'],
  ])('whose row in %s says something else (%s) is found', async (table, change, column) => {
    await placed({ effects: ['REVIEW'] });
    const [stored] = await test.app.database.query<Record<string, unknown>>(`SELECT * FROM ${table}`);
    const name = change.split(' ')[0] as string;
    await tamper(test.app.database, `UPDATE ${table} SET ${change}`);
    expect(await look()).toEqual([expect.stringContaining(`${stored?.id} (${column})`)]);
    await tamper(test.app.database, `UPDATE ${table} SET ${name} = ?`, [stored?.[name]]);
  });

  it('that is gone is missed', async () => {
    const id = await placed({ effects: ['REVIEW'] });
    const [row] = await test.app.database.query<{ id: string }>('SELECT id FROM payment_hold_effect');
    await tamper(test.app.database, "UPDATE payment_hold_effect SET hold_id = 'hld_else'");
    expect(await look()).toHaveLength(2);
    await tamper(test.app.database, 'UPDATE payment_hold_effect SET hold_id = ? WHERE id = ?', [id, row?.id]);
  });
});
