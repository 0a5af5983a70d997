import { countOf, policyWith } from '../support/answers';
import { TestApp } from '../support/app';
import { type Case, cancelUpdate, flaws, transitionsAndEvents, Updates } from '../support/credentials';
import { Pipeline } from '../support/decisions';

const minute = 60_000;
const hour = 60 * minute;
const device = 'fingerprint-of-their-telephone';
const readProofs = 'query ($id: ID!) { credentialUpdate(id: $id) { failure confirmation { proofs demandId } } }';

let test: TestApp;
let updates: Updates;
let pipeline: Pipeline;
let of: Case;
let references = 0;

beforeEach(async () => {
  test = await TestApp.start({
    policy: policyWith(['REPLACE_CARD: { strength: link }', 'REPLACE_CARD: { strength: three-d-secure }']),
  });
  updates = new Updates(test);
  pipeline = new Pipeline(test);
  of = await updates.next({ subscribed: false });
  // They paid by it, a while before.
  test.payments.addTransaction(of.payer, { amount: 1_000, status: 'CAPTURED', deviceFingerprint: device });
  await test.app.sources.syncAll();
  test.clock.forward(minute);
});
afterEach(async () => {
  expect(await flaws(test)).toEqual([]);
  const { transitions, events } = await transitionsAndEvents(test);
  expect(events).toEqual(transitions);
  await test.stop();
});

/** A step-up at checkout, met a minute after it was asked for. */
const stepUp = async ({ payer, customerId } = of, { by = device as string | null, met = true } = {}) => {
  await pipeline.open(customerId);
  const { demandId } = await pipeline.decide({ customer: payer, device });
  test.clock.forward(minute);
  references += 1;
  const reference = `ch_step_up_${references}`;
  test.payments.addAuthentication(reference, {
    customer: payer,
    deviceFingerprint: by,
    ...(met ? {} : { flow: 'FRICTIONLESS' as const }),
  });
  expect(await pipeline.record(demandId, reference)).toBe(met ? 'SATISFIED' : 'PRESENTED');
  return demandId as string;
};

/** A new card whose issuer authenticates nobody, entered by a customer who said yes after so long. */
const cardEntered = async (after = 0) => {
  const { id, token } = await updates.asked(of, of.usual, 'REPLACE_CARD');
  test.clock.forward(after);
  const answer = await updates.confirm(token);
  expect(answer.outcome).toBe('continue');
  await updates.enterCard(answer, 'unauthenticated');
  await updates.drain();
  await updates.assist(of.ticketId);
  const { data } = await test.as('ana', readProofs, { id });
  const { failure, confirmation } = data.credentialUpdate;
  return { id, failure, ...confirmation };
};

describe('a step-up at checkout', () => {
  it('on a device that they had paid by counts as three-d-secure within the hour, and the Confirmation and its event name it', async () => {
    const demandId = await stepUp();
    const { id, ...told } = await cardEntered();
    expect(told).toEqual({ failure: null, proofs: ['link', 'three-d-secure'], demandId });
    expect((await updates.path(id)).at(-1)).toBe('APPLIED');
    expect((await test.events('credential.confirm')).map(({ detail }) => detail)).toEqual([
      expect.objectContaining({ proofs: ['link', 'three-d-secure'], restsOn: [demandId] }),
    ]);
  });

  const notCounted = { failure: 'NOT_AUTHENTICATED', proofs: ['link'], demandId: null };

  it.each<[string, () => Promise<unknown>, number]>([
    ['on a device that nobody knows', () => stepUp(of, { by: 'another-device' }), 0],
    ['where the provider names no device', () => stepUp(of, { by: null }), 0],
    ['that nothing proves', () => stepUp(of, { met: false }), 0],
    ['more than an hour ago', () => stepUp(), hour + minute],
  ])('%s doesn’t', async (_, step, after) => {
    await step();
    const { id, ...told } = await cardEntered(after);
    expect(told).toEqual(notCounted);
    expect((await updates.path(id)).at(-1)).toBe('FAILED NOT_AUTHENTICATED');
  });

  it('of another customer doesn’t', async () => {
    const other = await updates.next({ subscribed: false });
    test.payments.addTransaction(other.payer, { amount: 1_000, status: 'CAPTURED', deviceFingerprint: device });
    await test.app.sources.syncAll();
    test.clock.forward(minute);
    await stepUp(other);
    await updates.assist(of.ticketId);
    const { id: _, ...told } = await cardEntered();
    expect(told).toEqual(notCounted);
  });

  it('on the device of the very payment that was stepped up doesn’t', async () => {
    const fresh = 'device-of-whoever-this-is';
    await pipeline.open(of.customerId);
    const { demandId } = await pipeline.decide({ customer: of.payer });
    test.clock.forward(minute);
    test.payments.addTransaction(of.payer, { amount: 1_000, status: 'CAPTURED', deviceFingerprint: fresh });
    await test.app.sources.syncAll();
    test.payments.addAuthentication('ch_fresh', { customer: of.payer, deviceFingerprint: fresh });
    expect(await pipeline.record(demandId, 'ch_fresh')).toBe('SATISFIED');
    const { id: _, ...told } = await cardEntered();
    expect(told).toEqual(notCounted);
  });

  it('is named by no confirmation that doesn’t need it', async () => {
    await stepUp();
    const { id, token } = await updates.asked(of, of.other, 'BILLING_ADDRESS');
    expect(await updates.state(id)).toBe('AWAITING_CUSTOMER');
    expect(token).not.toBe('');
    await test.as('ana', cancelUpdate, { id });
    expect(await countOf(test, 'credential_confirmation', 'demand_id IS NOT NULL')).toBe(0);
  });
});
