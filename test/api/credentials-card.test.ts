import { policyWith, told } from '../support/answers';
import { TestApp } from '../support/app';
import {
  approveUpdate,
  type Case,
  cancelUpdate,
  detailsOfUpdates,
  flaws,
  readUpdate,
  rejection,
  rejectUpdate,
  transitionsAndEvents,
  Updates,
  withheld,
} from '../support/credentials';

const minute = 60_000;
const hour = 60 * minute;

/** The policy asks for an approval where a default method is replaced. */
const approvedReplacing = [
  'kinds: [REMOVE], methodIsDefault: true',
  'kinds: [REMOVE, REPLACE_CARD], methodIsDefault: true',
] as const;
const manyADay = ['perCustomerPerDay: 5', 'perCustomerPerDay: 500'] as const;

let test: TestApp;
let updates: Updates;
let of: Case;
const start =
  (...policy: (readonly [string, string])[]) =>
  async () => {
    test = await TestApp.start({ policy: policyWith(manyADay, ...policy) });
    updates = new Updates(test);
    of = await updates.next({ subscribed: false });
  };
const stop = async () => {
  expect(await flaws(test)).toEqual([]);
  const { transitions, events } = await transitionsAndEvents(test);
  expect(events).toEqual(transitions);
  await test.stop();
};

/** A new card is asked for and the customer has said yes; they are on their way to the provider's page. */
const atProvider = async (method = of.usual) => {
  const { id, token } = await updates.asked(of, method, 'REPLACE_CARD');
  const methods = await updates.methodsOf(of);
  const answer = await updates.confirm(token);
  expect(answer.outcome).toBe('continue');
  return { id, token, answer, methods };
};

describe('a new card that somebody must approve', () => {
  beforeAll(start(approvedReplacing));
  afterAll(stop);
  const waiting = async () => {
    const begun = await atProvider();
    await updates.enterCard(begun.answer, 'abroad');
    expect(await updates.state(begun.id)).toBe('AWAITING_APPROVAL');
    return begun;
  };

  it('is approved after it was entered, by who sees its brand, last four and country without an assistance, and what they saw is recorded', async () => {
    const { id } = await waiting();
    const disclosed = (await test.events('disclosure')).length;
    const seen = await test.as('sam', readUpdate, { id });
    expect(told(seen).errors).toEqual([]);
    expect(seen.data.credentialUpdate.after).toEqual({
      brand: 'visa',
      last4: '8001',
      expiryMonth: 8,
      expiryYear: 2030,
      country: 'MX',
      isDefault: true,
      billingAddress: null,
    });
    expect((await test.events('disclosure')).slice(disclosed)).toEqual([
      expect.objectContaining({
        ticket: of.ticketId,
        assistance: null,
        detail: expect.objectContaining({ objects: expect.objectContaining({ CredentialUpdate: [id] }) }),
      }),
    ]);
    expect(told(await test.as('sam', approveUpdate, { id })).errors).toEqual([]);
    await updates.drain();
    expect(await updates.state(id)).toBe('APPLIED');
    // Decided: there is nothing more to be seen for it.
    const { data, errors = [] } = await test.as('sam', readUpdate, { id });
    expect(data.credentialUpdate).toMatchObject({ state: 'APPLIED', before: null, after: null, reason: null });
    expect(withheld(errors)).toEqual(detailsOfUpdates);
    expect([...new Set(errors.map(({ extensions }) => extensions.reason))]).toEqual(['NO_ASSISTANCE']);
    of = await updates.caseOf(of.reference, of.number);
  });

  it.each<[string, string, (id: string) => Promise<unknown>]>([
    ['rejected', 'REJECTED', (id) => test.as('sam', rejectUpdate, { id, reason: rejection })],
    ['called off', 'CANCELLED BY_HAND', (id) => test.as('ana', cancelUpdate, { id })],
    [
      'waited for too long',
      'EXPIRED APPROVAL_EXPIRED',
      async () => {
        test.clock.forward(48 * hour);
        await test.app.services.credentialExpiry.run();
      },
    ],
  ])('and is %s is taken away again', async (_, end, finish) => {
    const { id, methods } = await waiting();
    await finish(id);
    await updates.drain();
    expect((await updates.path(id)).at(-1)).toBe(end);
    expect(updates.executions(id)).toEqual(['OPEN_SETUP', 'DETACH']);
    expect(await updates.methodsOf(of)).toEqual(methods);
    await updates.assist(of.ticketId);
  });

  it('and is rejected is taken away once, though the provider is down and its answer is lost then', async () => {
    const { id, methods } = await waiting();
    await test.as('sam', rejectUpdate, { id, reason: rejection });
    test.payments.goDown();
    await updates.wait(30 * minute, 5 * minute);
    test.payments.comeBack();
    updates.provider.loseAnswers(1, { executed: true });
    await updates.wait(3 * hour, 20 * minute);
    expect(updates.executions(id)).toEqual(['OPEN_SETUP', 'DETACH']);
    expect(await updates.methodsOf(of)).toEqual(methods);
    expect(await updates.state(id)).toBe('REJECTED');
    await updates.assist(of.ticketId);
  });
});

describe('a new card', () => {
  beforeAll(start());
  afterAll(stop);
  beforeEach(async () => {
    await updates.assist(of.ticketId);
  });

  it('that is entered after the update was called off is taken away again', async () => {
    const { id, answer, methods } = await atProvider();
    await test.as('ana', cancelUpdate, { id });
    await updates.wait(2 * minute);
    await updates.enterCard(answer);
    await updates.wait(3 * minute);
    expect(await updates.path(id)).toEqual(['REQUESTED', 'AWAITING_CUSTOMER', 'AWAITING_PROVIDER', 'CANCELLED BY_HAND']);
    expect(updates.executions(id)).toEqual(['OPEN_SETUP', 'DETACH']);
    expect(await updates.methodsOf(of)).toEqual(methods);
  });

  it('that is entered in the last moment, and seen only after the update had expired, is taken away again', async () => {
    const { id, answer, methods } = await atProvider();
    test.clock.forward(2 * hour - 1_000);
    const url = answer.outcome === 'continue' ? (answer.view.continueAt ?? '') : '';
    expect(updates.provider.enterCard(url.slice(url.lastIndexOf('/') + 1), 'visa', null)).toBe('complete');
    test.clock.forward(1_000);
    await test.app.services.credentialExpiry.run();
    await updates.wait(3 * minute);
    expect((await updates.path(id)).at(-1)).toBe('EXPIRED SETUP_EXPIRED');
    expect(updates.executions(id)).toEqual(['OPEN_SETUP', 'DETACH']);
    expect(await updates.methodsOf(of)).toEqual(methods);
  });

  it('that nobody enters ends the update with the provider’s page', async () => {
    const { id } = await atProvider();
    await updates.wait(2 * hour + minute, 10 * minute);
    expect((await updates.path(id)).at(-1)).toBe('EXPIRED SETUP_EXPIRED');
    expect(updates.executions(id)).toEqual(['OPEN_SETUP']);
  });

  it('is asked for on one page, however often the customer comes back to the link', async () => {
    const { id, token, answer } = await atProvider();
    const url = answer.outcome === 'continue' ? answer.view.continueAt : null;
    expect((await updates.desk.view(token))?.continueAt).toBe(url);
    const again = await updates.desk.confirm(token, { shown: '', code: '', address: null });
    expect(again).toMatchObject({ outcome: 'continue', view: { continueAt: url, stage: 'AT_PROVIDER' } });
    expect(await updates.desk.refuse(token, '')).toEqual({ outcome: 'dead' });
    expect(updates.executions(id)).toEqual(['OPEN_SETUP']);
    await test.as('ana', cancelUpdate, { id });
  });

  it('whose page can’t be opened just now leaves all as it was; the link goes on working', async () => {
    const { id, token } = await updates.asked(of, of.usual, 'REPLACE_CARD');
    test.payments.goDown();
    await expect(updates.confirm(token)).rejects.toMatchObject({ code: 'UPSTREAM_UNAVAILABLE' });
    test.payments.comeBack();
    updates.provider.loseAnswers(1, { executed: true, of: 'setups' });
    await expect(updates.confirm(token)).rejects.toMatchObject({ code: 'UPSTREAM_UNAVAILABLE' });
    expect(await updates.state(id)).toBe('AWAITING_CUSTOMER');
    expect((await updates.confirm(token)).outcome).toBe('continue');
    // The page whose address was lost is the one that was given then.
    expect(updates.executions(id)).toEqual(['OPEN_SETUP']);
    await test.as('ana', cancelUpdate, { id });
  });

  it('whose page the provider refuses to open ends the update for that reason', async () => {
    const { id, token } = await updates.asked(of, of.usual, 'REPLACE_CARD');
    updates.provider.refuse('CUSTOMER_GONE', 1, 'setups');
    expect(await updates.confirm(token)).toEqual({ outcome: 'dead' });
    expect((await updates.path(id)).at(-1)).toBe('FAILED CUSTOMER_GONE');
    const { data } = await test.as('ana', readUpdate, { id });
    expect(data.credentialUpdate.failure).toBe('CUSTOMER_GONE');
  });
});

describe('a new card whose issuer must authenticate the customer', () => {
  beforeAll(start(['REPLACE_CARD: { strength: link }', 'REPLACE_CARD: { strength: three-d-secure }']));
  afterAll(stop);

  it.each(['visa', 'challenged'] as const)('is taken where it did (%s), and the confirmation says so', async (card) => {
    const { id, answer } = await atProvider(of.usual);
    await updates.enterCard(answer, card, 'approves');
    expect(await updates.path(id)).toEqual(['REQUESTED', 'AWAITING_CUSTOMER', 'AWAITING_PROVIDER', 'APPLYING', 'APPLIED']);
    const { data } = await test.as('ana', readUpdate, { id });
    expect(data.credentialUpdate.confirmation.proofs).toEqual(['link', 'three-d-secure']);
    of = await updates.caseOf(of.reference, of.number);
  });

  it('is not taken where it didn’t: the update fails, and the card goes again', async () => {
    const { id, answer, methods } = await atProvider(of.usual);
    await updates.enterCard(answer, 'unauthenticated');
    await updates.drain();
    expect((await updates.path(id)).at(-1)).toBe('FAILED NOT_AUTHENTICATED');
    expect(updates.executions(id)).toEqual(['OPEN_SETUP', 'DETACH']);
    expect(await updates.methodsOf(of)).toEqual(methods);
  });
});
