import { policyWith, told } from '../support/answers';
import { TestApp } from '../support/app';
import {
  approveUpdate,
  type Case,
  type CaseMethod,
  flaws,
  newAddress,
  readUpdate,
  reason,
  transitionsAndEvents,
  Updates,
} from '../support/credentials';

let test: TestApp;
let updates: Updates;
beforeAll(async () => {
  test = await TestApp.start({
    policy: policyWith(['kinds: [REMOVE], methodIsDefault: true', 'kinds: [REMOVE, REPLACE_CARD], methodIsDefault: true']),
  });
  updates = new Updates(test);
});
afterAll(async () => {
  expect(await flaws(test)).toEqual([]);
  const { transitions, events } = await transitionsAndEvents(test);
  expect(events).toEqual(transitions);
  await test.stop();
});

const ana = { displayName: 'Ana Ferreira' };
const sam = { displayName: 'Sam Lindqvist' };
const by = (actor: 'STAFF' | 'CUSTOMER' | 'SYSTEM', staff: typeof ana | null = null) => ({ actor, by: staff, reason: null });
const steps = {
  requested: { from: null, to: 'REQUESTED', ...by('STAFF', ana) },
  sent: { from: 'REQUESTED', to: 'AWAITING_CUSTOMER', ...by('SYSTEM') },
  applied: { from: 'APPLYING', to: 'APPLIED', ...by('SYSTEM') },
};
const confirmation = (...proofs: string[]) => ({
  outcome: 'CONFIRMED',
  channel: 'MAIL',
  proofs,
  shownDigest: expect.stringMatching(/^[\w-]{22}\.[\w-]{43}$/),
  at: expect.any(String),
});
/** A method as an update shows it, from what the provider holds. */
const summary = async (of: Case, { reference }: CaseMethod, over: Record<string, unknown> = {}) => {
  const method = (await updates.methodsOf(of)).find((each) => each.reference === reference);
  if (!method) throw new Error('the provider has no such method');
  const { brand, last4, expiryMonth, expiryYear, isDefault, billingAddress: address } = method;
  const billingAddress = address && { city: address.city, state: address.state ?? null, country: address.country };
  return { brand, last4, expiryMonth, expiryYear, country: method.country ?? null, isDefault, billingAddress, ...over };
};
const asked = { reason, failure: null, requestedBy: ana };
const lowRisk = { riskRules: [], needsCode: false, needsApproval: false, approval: null };
const read = async (id: string) => told(await test.as('ana', readUpdate, { id }));

describe('the whole life of an update', () => {
  it('of a billing address: what the customer typed is what it becomes; its lines are for nobody on the staff', async () => {
    const of = await updates.next();
    const before = await summary(of, of.usual);
    const { id, token } = await updates.asked(of, of.usual, 'BILLING_ADDRESS');
    await updates.confirm(token);
    await updates.drain();
    expect(await read(id)).toEqual({
      data: {
        credentialUpdate: {
          id,
          kind: 'BILLING_ADDRESS',
          state: 'APPLIED',
          ...asked,
          ...lowRisk,
          before,
          after: { ...before, billingAddress: { city: 'Galway', state: 'Co. Galway', country: 'IE' } },
          confirmation: confirmation('link'),
          history: [steps.requested, steps.sent, { from: 'AWAITING_CUSTOMER', to: 'APPLYING', ...by('CUSTOMER') }, steps.applied],
        },
      },
      errors: [],
    });
    const lines = await test.as(
      'ana',
      'query ($id: ID!) { credentialUpdate(id: $id) { after { billingAddress { line1 postalCode } } } }',
      { id },
    );
    expect(JSON.stringify(lines)).not.toContain(newAddress.line1);
  });

  it('of a default', async () => {
    const of = await updates.next({ subscribed: true });
    const before = await summary(of, of.other);
    const { id, token } = await updates.asked(of, of.other, 'SET_DEFAULT');
    await updates.confirm(token);
    await updates.drain();
    expect(await read(id)).toEqual({
      data: {
        credentialUpdate: {
          id,
          kind: 'SET_DEFAULT',
          state: 'APPLIED',
          ...asked,
          ...lowRisk,
          before: { ...before, isDefault: false },
          after: { ...before, isDefault: true },
          confirmation: confirmation('link'),
          history: [steps.requested, steps.sent, { from: 'AWAITING_CUSTOMER', to: 'APPLYING', ...by('CUSTOMER') }, steps.applied],
        },
      },
      errors: [],
    });
  });

  it('of a removal that is high-risk: code, and a supervisor', async () => {
    const of = await updates.next({ subscribed: false });
    const before = await summary(of, of.usual);
    const { id, token } = await updates.asked(of, of.usual, 'REMOVE');
    await updates.confirm(token);
    await test.as('sam', approveUpdate, { id });
    await updates.drain();
    expect(await read(id)).toEqual({
      data: {
        credentialUpdate: {
          id,
          kind: 'REMOVE',
          state: 'APPLIED',
          ...asked,
          riskRules: ['removes-default'],
          needsCode: true,
          needsApproval: true,
          before,
          after: null,
          confirmation: confirmation('link', 'code'),
          approval: { decision: 'APPROVED', by: sam },
          history: [
            steps.requested,
            steps.sent,
            { from: 'AWAITING_CUSTOMER', to: 'AWAITING_APPROVAL', ...by('CUSTOMER') },
            { from: 'AWAITING_APPROVAL', to: 'APPLYING', ...by('STAFF', sam) },
            steps.applied,
          ],
        },
      },
      errors: [],
    });
  });

  it('of a new card, with every step that there is: code, the provider’s page, and a supervisor', async () => {
    const of = await updates.next({ subscribed: false });
    const before = await summary(of, of.usual);
    const { id, token } = await updates.asked(of, of.usual, 'REPLACE_CARD');
    await updates.enterCard(await updates.confirm(token), 'mastercard');
    await test.as('sam', approveUpdate, { id });
    await updates.drain();
    expect(await read(id)).toEqual({
      data: {
        credentialUpdate: {
          id,
          kind: 'REPLACE_CARD',
          state: 'APPLIED',
          ...asked,
          riskRules: ['removes-default'],
          needsCode: true,
          needsApproval: true,
          before,
          after: {
            brand: 'mastercard',
            last4: '4444',
            expiryMonth: 8,
            expiryYear: 2030,
            country: 'FR',
            isDefault: true,
            billingAddress: null,
          },
          confirmation: confirmation('link', 'code'),
          approval: { decision: 'APPROVED', by: sam },
          history: [
            steps.requested,
            steps.sent,
            { from: 'AWAITING_CUSTOMER', to: 'AWAITING_PROVIDER', ...by('CUSTOMER') },
            { from: 'AWAITING_PROVIDER', to: 'AWAITING_APPROVAL', ...by('SYSTEM') },
            { from: 'AWAITING_APPROVAL', to: 'APPLYING', ...by('STAFF', sam) },
            steps.applied,
          ],
        },
      },
      errors: [],
    });
  });

  it('is in the log from beginning to end: who acted, on which ticket, under which assistance, and what was called', async () => {
    const of = await updates.next({ subscribed: true });
    const { id, token } = await updates.asked(of, of.usual, 'BILLING_ADDRESS');
    await updates.confirm(token);
    await updates.drain();
    const events = (await test.events()).filter(({ subject }) => (subject as { id?: string } | null)?.id === id);
    const { assistance_id: assistance } = await updates.row(id);
    const counted = new Map<string, number>();
    for (const { action, ticket, assistance: under, outcome } of events) {
      expect([action, ticket, under, outcome]).toEqual([action, of.ticketId, assistance, 'ALLOWED']);
      counted.set(action as string, (counted.get(action as string) ?? 0) + 1);
    }
    expect(Object.fromEntries([...counted].sort())).toEqual({
      'credential.apply': 1,
      'credential.confirm': 1,
      'credential.link': 1,
      'credential.link-sent': 1,
      'credential.plan': 1,
      'credential.request': 1,
      // Meant, and done.
      'credential.step': 2,
    });
    const calls = events.filter(({ action }) => action === 'credential.step').map(({ detail }) => detail);
    expect(calls).toEqual(
      expect.arrayContaining([
        { step: 1, phase: 'APPLY', action: 'SET_ADDRESS', state: 'INTENDED', key: 1 },
        { step: 1, phase: 'APPLY', action: 'SET_ADDRESS', state: 'DONE', key: 1 },
      ]),
    );
    const leaves = JSON.stringify(events);
    for (const secret of [newAddress.line1, newAddress.city, newAddress.postalCode, of.payer, of.usual.reference, reason])
      expect(leaves).not.toContain(secret);
  });
});
