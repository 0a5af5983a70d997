import { credentialUpdateKinds } from '../../src/authz/policy/update-policy';
import { eventsOf, policyWith, told } from '../support/answers';
import { TestApp } from '../support/app';
import { type Case, cancelUpdate, Updates } from '../support/credentials';

interface Offered {
  readonly id: string;
  readonly kind: string;
  readonly updates: readonly { readonly kind: string; readonly blockedBy: string | null }[];
}

const read = 'query Offers($id: ID!) { customer(id: $id) { paymentMethods { id kind updates { kind blockedBy } } } }';

const started = async (...replacements: readonly (readonly [string, string])[]) => {
  const test = await TestApp.start({ policy: policyWith(...replacements) });
  return { test, updates: new Updates(test) };
};
const offersOf = async (test: TestApp, { customerId }: Case): Promise<readonly Offered[]> => {
  const { data, errors } = told(await test.as('ana', read, { id: customerId }));
  expect(errors).toEqual([]);
  return data.customer.paymentMethods;
};
const wordsOf = (offers: readonly Offered[], methodId: string) =>
  Object.fromEntries((offers.find(({ id }) => id === methodId)?.updates ?? []).map(({ kind, blockedBy }) => [kind, blockedBy]));

describe('what can be asked for of a payment method', () => {
  let test: TestApp;
  let updates: Updates;
  beforeAll(async () => {
    ({ test, updates } = await started(['perCustomerPerDay: 5', 'perCustomerPerDay: 500']));
  });
  afterAll(() => test.stop());

  it('is what a request finds, for every method and kind, and why not is said by a word', async () => {
    const words = new Set<string | null>();
    for (const phone of [undefined, undefined, null]) {
      const of = await updates.next({ methods: 2 });
      if (phone === null) await updates.changeCustomer(of, { phone });
      for (const { id, updates: offers } of await offersOf(test, of)) {
        expect(offers.map(({ kind }) => kind)).toEqual([...credentialUpdateKinds]);
        for (const { kind, blockedBy } of offers) {
          words.add(blockedBy);
          const answer = await updates.request(of, { id }, kind as (typeof credentialUpdateKinds)[number]);
          expect([id, kind, answer.errors?.map(({ extensions }) => extensions.code) ?? null]).toEqual([
            id,
            kind,
            blockedBy === null ? null : ['CONFLICT'],
          ]);
          if (!answer.errors) await test.as('ana', cancelUpdate, { id: answer.data.requestCredentialUpdate.id });
        }
      }
    }
    expect(words).toEqual(
      new Set([null, 'ALREADY_DEFAULT', 'NO_PHONE', ...[...words].filter((word) => /CARD|WALLET/.test(word ?? ''))]),
    );
  });

  it('is nothing while another update of the method is under way, and everything once that was called off', async () => {
    const of = await updates.next({ methods: 2 });
    const before = wordsOf(await offersOf(test, of), of.usual.id);
    expect(before.BILLING_ADDRESS).toBeNull();
    const { id } = await updates.asked(of, of.usual, 'BILLING_ADDRESS');
    const offers = await offersOf(test, of);
    expect(wordsOf(offers, of.usual.id)).toEqual({
      REPLACE_CARD: 'UNDER_WAY',
      BILLING_ADDRESS: 'UNDER_WAY',
      SET_DEFAULT: 'ALREADY_DEFAULT',
      REMOVE: 'UNDER_WAY',
    });
    expect(wordsOf(offers, of.other.id).REMOVE).toBeNull();
    await test.as('ana', cancelUpdate, { id });
    expect(wordsOf(await offersOf(test, of), of.usual.id)).toEqual(before);
  });

  it('is read from what is stored: no source is asked', async () => {
    const of = await updates.next({ methods: 2 });
    const spies = [
      jest.spyOn(test.payments, 'fetchCustomer'),
      jest.spyOn(test.payments.credentials, 'readMethod'),
      jest.spyOn(test.helpdesk, 'fetchTicket'),
    ];
    await offersOf(test, of);
    expect(spies.map((spy) => spy.mock.calls.length)).toEqual([0, 0, 0]);
    for (const spy of spies) spy.mockRestore();
  });

  it('is nothing for whom the link would reach, and the same as before for others', async () => {
    const of = await updates.next({ methods: 2 });
    await updates.changeCustomer(of, { email: 'Ana@staff.example.com' });
    await test.app.sources.refreshPayments(of.customerId);
    await test.app.sources.syncAll();
    const words = (await offersOf(test, of)).flatMap(({ updates: all }) => all.map(({ blockedBy }) => blockedBy));
    expect(new Set(words)).toEqual(new Set(['OWN_CONTACT']));
    const { data } = await test.as(
      'sam',
      'mutation ($id: ID!) { beginAssistance(input: { ticketId: $id, purpose: OTHER, reason: "The customer asks for a change" }) { state } }',
      { id: of.ticketId },
    );
    expect(data.beginAssistance.state).toBe('LIVE');
    const bySam = await test.as('sam', read, { id: of.customerId });
    expect(wordsOf(bySam.data.customer.paymentMethods, of.usual.id).BILLING_ADDRESS).toBeNull();
  });

  it('is shown under a live assistance, to who has a second factor, and is on record', async () => {
    const of = await updates.next({ methods: 2 });
    const events = await eventsOf(test, () => offersOf(test, of));
    const [disclosure] = events.filter(({ action }) => action === 'disclosure') as { detail: Record<string, unknown> }[];
    expect(disclosure?.detail).toMatchObject({ objects: { PaymentMethod: expect.arrayContaining([of.usual.id]) } });
    const withoutFactor = { token: await test.token('ana', { mfa: false }) };
    const denied = told(await test.as(withoutFactor, read, { id: of.customerId }));
    expect(JSON.stringify(denied.data)).not.toContain('blockedBy');
    expect(denied.errors.length).toBeGreaterThan(0);
    for (const who of ['ben', 'sam', 'pia', 'ada', 'oz'] as const) {
      const { data } = told(await test.as(who, read, { id: of.customerId }));
      expect(data?.customer ?? null).toBeNull();
    }
    test.helpdesk.reassign(of.reference, 'rosa');
    await test.app.sources.syncAll();
    expect(told(await test.as('ana', read, { id: of.customerId }))).toEqual({
      data: { customer: null },
      errors: [['customer', 'NOT_FOUND']],
    });
  });
});

describe('what can be asked for of a payment method, by the policy', () => {
  it('is nothing once the day’s updates of the customer were asked for, and never what isn’t offered', async () => {
    const { test, updates } = await started(
      ['perCustomerPerDay: 5', 'perCustomerPerDay: 1'],
      ['    SET_DEFAULT: { strength: link }\n', ''],
    );
    try {
      const of = await updates.next({ methods: 2 });
      expect(wordsOf(await offersOf(test, of), of.other.id)).toMatchObject({ SET_DEFAULT: 'NOT_OFFERED', BILLING_ADDRESS: null });
      const { id } = await updates.asked(of, of.usual, 'BILLING_ADDRESS');
      await test.as('ana', cancelUpdate, { id });
      const offers = await offersOf(test, of);
      expect(new Set(offers.flatMap(({ updates: all }) => all.map(({ blockedBy }) => blockedBy)))).toEqual(
        new Set(['NOT_OFFERED', 'QUOTA']),
      );
      expect(told(await updates.request(of, of.other, 'BILLING_ADDRESS')).errors).toEqual([
        ['requestCredentialUpdate', 'DENIED', 'QUOTA'],
      ]);
    } finally {
      await test.stop();
    }
  });
});
