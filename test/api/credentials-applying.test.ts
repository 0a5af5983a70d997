import { providerRefusals } from '../../src/upstream/payments/payments.port';
import { countOf, policyWith, told } from '../support/answers';
import { TestApp } from '../support/app';
import { approveUpdate, type Case, flaws, newAddress, readUpdate, transitionsAndEvents, Updates } from '../support/credentials';

const minute = 60_000;
const hour = 60 * minute;

let test: TestApp;
let updates: Updates;
/** With two methods, and a subscription that is paid with the default one. */
let subscribed: Case;
let plain: Case;
beforeAll(async () => {
  test = await TestApp.start({ policy: policyWith(['perCustomerPerDay: 5', 'perCustomerPerDay: 500']) });
  updates = new Updates(test);
  subscribed = await updates.next({ subscribed: true, methods: 3 });
  plain = await updates.next({ subscribed: false });
});
afterEach(async () => {
  updates.provider.clearFaults();
  test.payments.comeBack();
  await updates.wait(2 * hour, hour);
  expect(await flaws(test)).toEqual([]);
  const { transitions, events } = await transitionsAndEvents(test);
  expect(events).toEqual(transitions);
});
afterAll(() => test.stop());

/** As it is by now: earlier tests changed it. */
const asItIs = async (of: Case): Promise<Case> => updates.caseOf(of.reference, of.number);
/** A new address that the customer confirmed, and nothing done about it yet. */
const confirmedAddress = async (): Promise<{ of: Case; id: string }> => {
  const of = await asItIs(plain);
  const { id, token } = await updates.asked(of, of.usual, 'BILLING_ADDRESS');
  const line1 = `Quay Street ${updates.provider.executions.length + 1}`;
  expect((await updates.confirm(token, { address: { ...newAddress, line1 } })).outcome).toBe('confirmed');
  return { of, id };
};
/** A new card in place of the one that a subscription is paid with, entered, and nothing done about it yet. */
const cardEntered = async (customer = subscribed): Promise<{ of: Case; id: string; before: unknown }> => {
  const of = await asItIs(customer);
  const { id, token } = await updates.asked(of, of.usual, 'REPLACE_CARD');
  const before = await providerStateOf(of);
  const answer = await updates.confirm(token);
  const url = answer.outcome === 'continue' ? (answer.view.continueAt ?? '') : '';
  updates.provider.enterCard(url.slice(url.lastIndexOf('/') + 1), 'mastercard', null);
  test.clock.forward(5_000);
  return { of, id, before };
};
/** What the provider has of a customer: methods with their addresses, the default, and what subscriptions are paid with. */
const providerStateOf = async (of: Case) => {
  const methods = await updates.methodsOf(of);
  const usual = methods.find(({ isDefault }) => isDefault);
  const current = usual && (await updates.provider.readMethod(of.payer, usual.reference));
  return { methods, subscriptions: current?.subscriptions };
};
const failureOf = async (id: string) => {
  const { data } = await test.as('ana', readUpdate, { id });
  return [data.credentialUpdate.state, data.credentialUpdate.failure];
};
const asked = ['REQUESTED', 'AWAITING_CUSTOMER', 'APPLYING'];
const askedCard = ['REQUESTED', 'AWAITING_CUSTOMER', 'AWAITING_PROVIDER', 'APPLYING'];
const cardSteps = ['OPEN_SETUP', 'ATTACH', 'SET_DEFAULT', 'SET_SUBSCRIPTION_DEFAULT', 'DETACH'];

describe('a confirmed update', () => {
  it('of an address is done by one call, and agents see what holds', async () => {
    const { of, id } = await confirmedAddress();
    await updates.drain();
    expect(await updates.path(id)).toEqual([...asked, 'APPLIED']);
    expect(updates.executions(id)).toEqual(['SET_ADDRESS']);
    const { methods } = await providerStateOf(of);
    expect(methods.find(({ isDefault }) => isDefault)?.billingAddress).toEqual({
      line1: expect.stringMatching(/^Quay Street \d+$/),
      line2: null,
      city: 'Galway',
      state: 'Co. Galway',
      postalCode: 'H91 TK33',
      country: 'IE',
    });
    const { data } = await test.as(
      'ana',
      'query ($id: ID!) { ticket(id: $id) { customer { paymentMethods { isDefault billingAddress { city } } } } }',
      { id: of.ticketId },
    );
    expect(data.ticket.customer.paymentMethods).toContainEqual({ isDefault: true, billingAddress: { city: 'Galway' } });
  });

  it('of a default is done for the customer and every subscription; one that holds already needs no call', async () => {
    const of = await asItIs(subscribed);
    const { id, token } = await updates.asked(of, of.other, 'SET_DEFAULT');
    await updates.confirm(token);
    await updates.drain();
    expect(updates.executions(id)).toEqual(['SET_DEFAULT', 'SET_SUBSCRIPTION_DEFAULT']);
    const { subscriptions } = await providerStateOf(of);
    expect(subscriptions?.map(({ method }) => method)).toEqual(subscriptions?.map(() => of.other.reference));
  });

  it('of a card is done by attaching the new one before the old one goes', async () => {
    const { of, id } = await cardEntered();
    await updates.drain();
    expect(await updates.path(id)).toEqual([...askedCard, 'APPLIED']);
    expect(updates.executions(id)).toEqual(cardSteps);
    const { methods, subscriptions } = await providerStateOf(of);
    const added = methods.find(({ isDefault }) => isDefault);
    expect(added).toMatchObject({ brand: 'mastercard', last4: '4444' });
    expect(methods.map(({ reference }) => reference)).not.toContain(of.usual.reference);
    expect(subscriptions?.map(({ method }) => method)).toEqual([added?.reference]);
  });

  it('of a removal is done, unless something is paid with the method by then', async () => {
    const of = await asItIs(subscribed);
    const { id, token } = await updates.asked(of, of.usual, 'REMOVE');
    await updates.confirm(token);
    expect(told(await test.as('sam', approveUpdate, { id })).errors).toEqual([]);
    await updates.drain();
    expect(await failureOf(id)).toEqual(['FAILED', 'METHOD_IN_USE']);
    expect(updates.executions(id)).toEqual([]);

    const free = await asItIs(plain);
    const removed = await updates.asked(free, free.other, 'REMOVE');
    await updates.confirm(removed.token);
    await updates.drain();
    expect(await failureOf(removed.id)).toEqual(['APPLIED', null]);
    expect((await updates.methodsOf(free)).map(({ reference }) => reference)).not.toContain(free.other.reference);
  });

  it.each(providerRefusals)('that the provider refuses with %s fails for that reason, and nothing is changed', async (why) => {
    const { of, id } = await confirmedAddress();
    const before = await providerStateOf(of);
    updates.provider.refuse(why);
    await updates.drain();
    expect(await updates.path(id)).toEqual([...asked, `FAILED ${why}`]);
    expect(await failureOf(id)).toEqual(['FAILED', why]);
    expect(await providerStateOf(of)).toEqual(before);
    expect(updates.executions(id)).toEqual([]);
  });

  it.each([
    ['attached', 'ATTACH', []],
    ['made the default', 'SET_DEFAULT', ['ATTACH', 'DETACH']],
    ['set on a subscription', 'SET_SUBSCRIPTION_DEFAULT', ['ATTACH', 'SET_DEFAULT', 'SET_DEFAULT', 'DETACH']],
    [
      'put in place of the old one',
      'DETACH',
      ['ATTACH', 'SET_DEFAULT', 'SET_SUBSCRIPTION_DEFAULT', 'SET_SUBSCRIPTION_DEFAULT', 'SET_DEFAULT', 'DETACH'],
    ],
  ] as const)('of a card that is refused when it is to be %s is taken back whole', async (_, action, calls) => {
    const { of, id, before } = await cardEntered();
    updates.before(action, () => updates.provider.refuse('CARD_DECLINED'));
    await updates.drain();
    expect(await updates.path(id)).toEqual([...askedCard, 'FAILED CARD_DECLINED']);
    expect(await providerStateOf(of)).toEqual(before);
    // A card that was never attached is given up by the same call.
    expect(updates.executions(id)).toEqual(['OPEN_SETUP', ...(action === 'ATTACH' ? ['DETACH'] : calls)]);
    expect(await countOf(test, 'credential_step', "update_id = ? AND state IN ('PLANNED', 'INTENDED', 'LOST')", id)).toBe(0);
  });

  it('that can’t be taken back says so, and leaves the new card where something may be paid with it by now', async () => {
    const { of, id, before } = await cardEntered(await updates.next({ subscribed: true }));
    updates.before('SET_SUBSCRIPTION_DEFAULT', () => updates.provider.refuse('CARD_DECLINED', 2));
    await updates.drain();
    expect(await updates.path(id)).toEqual([...askedCard, 'FAILED PARTLY_APPLIED']);
    expect(await failureOf(id)).toEqual(['FAILED', 'PARTLY_APPLIED']);
    expect(updates.executions(id)).toEqual(['OPEN_SETUP', 'ATTACH', 'SET_DEFAULT']);
    const { methods, subscriptions } = await providerStateOf(of);
    expect(subscriptions).toEqual((before as Awaited<ReturnType<typeof providerStateOf>>).subscriptions);
    expect(methods.find(({ isDefault }) => isDefault)).toMatchObject({ last4: '4444' });
    expect(methods.map(({ reference }) => reference)).toContain(of.usual.reference);
    expect(test.helpdesk.notes.at(-1)?.text).toContain('could not be taken back');
    expect(test.helpdesk.notes.at(-1)?.text).not.toContain('Nothing was changed');
  });

  it.each(
    (['ATTACH', 'SET_DEFAULT', 'SET_SUBSCRIPTION_DEFAULT', 'DETACH'] as const).flatMap((action) =>
      [true, false].map((executed) => [action, executed] as const),
    ),
  )(
    'whose answer to %s is lost (executed: %s) is unknown until the provider was asked, and done once',
    async (action, executed) => {
      const { of, id } = await cardEntered();
      updates.before(action, () => updates.provider.loseAnswers(1, { executed }));
      await updates.drain();
      expect(await updates.path(id)).toEqual([...askedCard, 'UNKNOWN ANSWER_LOST']);
      await updates.wait(5 * minute);
      const proven = executed ? (action === 'DETACH' ? [] : ['APPLYING EFFECT_PROVEN']) : ['APPLYING ABSENCE_PROVEN'];
      expect(await updates.path(id)).toEqual([...askedCard, 'UNKNOWN ANSWER_LOST', ...proven, 'APPLIED']);
      expect(updates.executions(id)).toEqual(cardSteps);
      expect((await updates.methodsOf(of)).map(({ reference }) => reference)).not.toContain(of.usual.reference);
      // The same key again: a call that was still on its way couldn't have its effect twice.
      expect(await countOf(test, 'credential_step', 'update_id = ? AND key_generation > 1', id)).toBe(0);
    },
  );

  it('whose answers are lost again and again stays unknown, however long, and is done once in the end', async () => {
    const { id } = await confirmedAddress();
    updates.provider.loseAnswers(500, { executed: false });
    await updates.wait(22 * hour, 30 * minute);
    expect(new Set((await updates.path(id)).slice(3))).toEqual(new Set(['UNKNOWN ANSWER_LOST', 'APPLYING ABSENCE_PROVEN']));
    expect(updates.executions(id)).toEqual([]);
    updates.provider.clearFaults();
    await updates.wait(3 * hour, 30 * minute);
    expect(await updates.state(id)).toBe('APPLIED');
    expect(updates.executions(id)).toEqual(['SET_ADDRESS']);
  });

  it.each([true, false])(
    'whose key was spoiled by a fault (executed: %s) takes a new one only where it wasn’t done',
    async (executed) => {
      const { id } = await confirmedAddress();
      updates.provider.spoilKeys(1, { executed });
      await updates.drain();
      expect(await updates.state(id)).toBe('UNKNOWN');
      await updates.wait(5 * minute);
      expect(await updates.state(id)).toBe('APPLIED');
      const keys = updates.provider.executions.filter(({ key }) => key.startsWith(id)).map(({ key }) => key.slice(id.length));
      expect(keys).toEqual([executed ? '/1/1' : '/1/2']);
    },
  );

  it.each([
    ['less than 23 hours old is sent again', 22 * hour, '/1/1'],
    ['older than 23 hours is not trusted any more', 24 * hour, '/1/2'],
  ])('whose key is %s', async (_, downFor, key) => {
    const { id } = await confirmedAddress();
    updates.before('SET_ADDRESS', () => updates.provider.loseAnswers(1, { executed: false }));
    await updates.drain();
    test.payments.goDown();
    await updates.wait(downFor - hour, hour);
    expect(await updates.state(id)).toBe('UNKNOWN');
    test.payments.comeBack();
    await updates.wait(80 * minute, 10 * minute);
    expect(await updates.state(id)).toBe('APPLIED');
    expect(
      updates.provider.executions.filter((each) => each.key.startsWith(id)).map((each) => each.key.slice(id.length)),
    ).toEqual([key]);
  });

  it('that can’t be begun because the provider is down fails after a few hours, and nothing was sent', async () => {
    const { of, id } = await confirmedAddress();
    test.payments.goDown();
    await updates.wait(2 * hour, 10 * minute);
    expect(await updates.state(id)).toBe('APPLYING');
    await updates.wait(8 * hour, 30 * minute);
    expect(await updates.path(id)).toEqual([...asked, 'FAILED PROVIDER_UNREACHABLE']);
    test.payments.comeBack();
    await updates.wait(2 * hour, hour);
    expect(updates.executions(id)).toEqual([]);
    expect((await asItIs(of)).usual.id).toBe(of.usual.id);
    expect(await countOf(test, 'credential_job', "update_id = ? AND kind = 'PROVIDER' AND state = 'DEAD'", id)).toBe(1);
  });

  it('of a card that can’t be begun gives the new card up once the provider is back', async () => {
    const { of, id, before } = await cardEntered();
    updates.before('ATTACH', () => test.payments.goDown());
    await updates.wait(12 * hour, 30 * minute);
    expect(await updates.path(id)).toEqual([...askedCard, 'FAILED PROVIDER_UNREACHABLE']);
    test.payments.comeBack();
    await updates.wait(2 * hour, 30 * minute);
    expect(updates.executions(id)).toEqual(['OPEN_SETUP', 'DETACH']);
    expect(await providerStateOf(of)).toEqual(before);
  });

  it('of which something was sent before the provider went down stays, however long, and goes on where it was', async () => {
    const { id } = await cardEntered();
    updates.before('SET_SUBSCRIPTION_DEFAULT', () => test.payments.goDown());
    await updates.wait(30 * hour, hour);
    expect(await updates.path(id)).toEqual(askedCard);
    test.payments.comeBack();
    await updates.wait(2 * hour, 30 * minute);
    expect(await updates.path(id)).toEqual([...askedCard, 'APPLIED']);
    expect(updates.executions(id)).toEqual(cardSteps);
  });
});
