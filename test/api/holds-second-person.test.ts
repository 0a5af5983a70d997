import { demoTickets } from '../../src/development/merchant/cast';
import { paymentReferenceOf } from '../../src/development/merchant/history';
import { helpdeskReferenceOf } from '../../src/development/merchant/merchant';
import { subjectDigest } from '../../src/features/signals/subjects';
import { customerOf } from '../support/alerts';
import { countOf, told } from '../support/answers';
import { TestApp } from '../support/app';
import { tamper } from '../support/audit-log';
import { approveMutation, extendMutation, HeldPayments, hour, releaseMutation } from '../support/holds';
import { OtherIssuer } from '../support/other-issuer';

const own = demoTickets.own.reference;
const ownNumber = demoTickets.own.customer ?? 0;
let test: TestApp;
let held: HeldPayments;
let issuer: OtherIssuer;
beforeEach(async () => {
  issuer = await OtherIssuer.open();
  test = await TestApp.start({ config: { issuers: [issuer.configuration] } });
  held = new HeldPayments(test);
});
afterEach(() => test.stop());

/** Ana as somebody who is supervisor too. */
const both = async () => ({
  token: await issuer.token('ana', { roles: ['AGENT', 'SUPERVISOR'], teams: ['cards'] }, test.clock.now()),
});
const sync = () => test.app.sources.syncAll();
const refused = [['releaseHold', 'DENIED', 'OWN_REQUEST']];
const released = async (who: Parameters<TestApp['as']>[0], id: string) =>
  told(await test.as(who, releaseMutation, { id })).errors;

describe('what a rule or the customer made wait is no matter of who had the ticket', () => {
  it.each([
    ['closed it', () => test.helpdesk.close(own)],
    ['took it from themselves', () => test.helpdesk.reassign(own, null, 'ana')],
    ['gave it to a colleague', () => test.helpdesk.reassign(own, 'ben', 'ana')],
  ])('and %s for a moment', async (_, putAway) => {
    await held.open('ana', own);
    const [placed, proposed] = [await held.byRule(own), await held.byRule(own, { key: 'other', isProposal: true })];
    putAway();
    await sync();
    for (const id of [placed, proposed]) expect(await released(await both(), id)).toEqual(refused);
    const extended = await test.as(await both(), extendMutation, { id: placed, until: held.in(12 * hour) });
    expect(told(extended).errors).toEqual([['extendHold', 'DENIED', 'OWN_REQUEST']]);
    const approved = await test.as(await both(), approveMutation, { id: proposed });
    expect(told(approved).errors).toEqual([['approveHold', 'DENIED', 'OWN_REQUEST']]);
    expect((await held.stored(placed)).split(',')[0]).toBe('PLACING');
  });

  it.each([
    ['was taken from them', (reference: string) => test.helpdesk.reassign(reference, null, 'sam')],
    [
      'came to be about somebody else',
      (reference: string) => test.helpdesk.setCustomer(reference, helpdeskReferenceOf(20), null),
    ],
  ])('and never opened it here before it %s', async (_, putAway) => {
    const free = demoTickets.unassigned.reference;
    const draft = await held.draft(free, { effects: ['BLOCK_NEW'] });
    test.helpdesk.reassign(free, 'ana', 'sam');
    await sync();
    putAway(free);
    await sync();
    const outcome = await test.app.database.system('worker', 'hold.place', (change) =>
      test.app.services.holds.place(change, draft),
    );
    const id = 'id' in outcome ? outcome.id : '';
    expect(await released(await both(), id)).toEqual(refused);
    // Of whoever it came to be about, nobody had one.
    expect(await countOf(test, 'helpdesk_holder')).toBe(1);
    expect(await released('sam', id)).toEqual([]);
  });

  it('nor is it long after such a ticket was taken from them', async () => {
    const free = demoTickets.unassigned.reference;
    test.helpdesk.reassign(free, 'ana', 'sam');
    await sync();
    test.helpdesk.reassign(free, null, 'sam');
    await sync();
    test.clock.forward(25 * hour);
    await sync();
    expect(await released(await both(), await held.byRule(free, { effects: ['BLOCK_NEW'] }))).toEqual([]);
  });

  it('or has one of the same payer under another customer of the helpdesk', async () => {
    await held.open('ana', own);
    const free = demoTickets.unassigned.reference;
    const [payer] = await test.app.database.query<{ id: string }>(
      'SELECT payment_customer_id AS id FROM helpdesk_customer WHERE id = ?',
      [await customerOf(test, own)],
    );
    await tamper(test.app.database, "UPDATE helpdesk_customer SET link = 'VERIFIED', payment_customer_id = ? WHERE id = ?", [
      payer?.id,
      await customerOf(test, free),
    ]);
    const id = await held.byRule(free, { effects: ['BLOCK_NEW'] });
    expect(await released(await both(), id)).toEqual(refused);
    test.helpdesk.close(own);
    await sync();
    expect(await released(await both(), id)).toEqual(refused);
  });

  it('or has one of somebody of the domain that it covers, listed or not', async () => {
    const found = await test.payments.fetchCustomer(paymentReferenceOf(ownNumber), new Date(0));
    const domain = found?.customer.email?.split('@')[1] ?? '';
    await held.open('ana', own);
    const of = { ticketId: null, effects: ['REVIEW'] as const, isProposal: true, customerIds: [] };
    const theirs = { ...of, key: 'domain', emailDomain: subjectDigest(test.keys.digests, 'emailDomain', domain) };
    const others = { ...of, key: 'other', emailDomain: subjectDigest(test.keys.digests, 'emailDomain', 'nobody.example') };
    expect(await released(await both(), await held.byRule(own, theirs))).toEqual(refused);
    expect(await released(await both(), await held.byRule(own, others))).toEqual([]);
  });

  it('and is one of who had it long before, or never', async () => {
    await held.open('ana', own);
    test.helpdesk.reassign(own, 'ben', 'sam');
    await sync();
    test.clock.forward(26 * hour);
    await sync();
    const id = await held.byRule(own);
    expect(await released(await both(), id)).toEqual([]);
    expect(await released('sam', await held.byRule(own, { key: 'next' }))).toEqual([]);
  });

  it('and of nobody while the helpdesk can’t say whose it is', async () => {
    const id = await held.byRule(own);
    test.clock.forward(hour);
    test.helpdesk.goDown();
    expect(await released('sam', id)).toEqual([['releaseHold', 'DENIED', 'STALE']]);
    test.helpdesk.comeBack();
    test.helpdesk.reassign(own, 'ana', 'ben');
    // Read again for who may decide, before they do.
    expect(await released(await both(), id)).toEqual(refused);
    expect(await released('sam', id)).toEqual([]);
  });
});
