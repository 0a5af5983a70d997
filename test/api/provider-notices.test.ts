import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Stripe from 'stripe';
import { told } from '../support/answers';
import { TestApp } from '../support/app';
import { rulesWithModes } from '../support/rules-file';
import { helpdeskCustomer, ScriptedHelpdesk } from '../support/scripted-sources';
import { besideDemo, type StripeObject, StripeShapedServer } from '../support/stripe-shaped-server';

const secret = 'whsec_a_secret_of_the_endpoint';
const day = 86_400;
const opens = 'query { ticketByReference(source: "demo", reference: "1") { assistance { state } } }';
const alerts = 'query { alerts(first: 50) { nodes { rule reasons { code transaction { id } } guidance { code } } } }';

describe('what Stripe says of a payment', () => {
  const folder = mkdtempSync(join(tmpdir(), 'counterfoil-notices-'));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  let stripe: StripeShapedServer;
  let test: TestApp;
  let customer: string;
  let intent: string;
  let charge: string;
  beforeEach(async () => {
    stripe = await StripeShapedServer.start();
    stripe.now = Date.UTC(2026, 8, 1, 9) / 1_000;
    customer = stripe.createCustomer({ metadata: { helpdesk_customer: 'demo:one' } }).id;
    stripe.attachPaymentMethod(customer);
    charge = stripe.createCharge({ customer }).id;
    intent = stripe.createPaymentIntent({ customer, status: 'succeeded', latest_charge: charge }).id;
    stripe.updateCharge(charge, 'charge.updated', { payment_intent: intent });
    const rulesFile = join(folder, 'rules.yaml');
    writeFileSync(rulesFile, rulesWithModes({ 'provider-deadline': 'ON' }));
    const helpdesk = new ScriptedHelpdesk('demo');
    helpdesk.put('1', { customer: helpdeskCustomer('one') });
    const { helpdesk: desks, payments } = besideDemo(stripe, { retries: 0 });
    test = await TestApp.start({
      connectors: { demo: helpdesk },
      config: {
        rulesFile,
        sources: { helpdesk: desks, payments: payments.map((each) => ({ ...each, webhookSecret: secret })) },
      },
    });
    helpdesk.now = test.clock.now;
    await test.app.signals.service.turn();
    expect(told(await test.as('ana', opens)).errors).toEqual([]);
  });
  afterEach(async () => {
    await test.stop();
    await stripe.close();
  });

  const forward = (seconds: number) => {
    test.clock.forward(seconds * 1_000);
    stripe.now = test.clock.now().getTime() / 1_000;
  };
  const poll = async () => {
    await test.app.sources.syncAll();
    await test.app.signals.service.turn();
  };
  const signals = async () =>
    (
      await test.app.database.query<{ type: string; occurred_at: number; deadline: number | null; payment: string }>(
        "SELECT type, occurred_at, deadline, payment FROM risk_signal WHERE type IN ('payment.review', 'payment.warning', 'payment.dispute') ORDER BY type",
      )
    ).map(({ type, occurred_at: at, deadline }) => [
      type,
      Number(at) / 1_000,
      deadline === null ? null : Number(deadline) / 1_000,
    ]);
  const reasons = async () => {
    const { data } = await test.as('ana', alerts);
    return data.alerts.nodes.flatMap((each: { reasons: { code: string }[] }) => each.reasons.map(({ code }) => code));
  };
  const send = async (type: string, object: StripeObject, signedWith = secret) => {
    const now = Math.floor(test.clock.now().getTime() / 1_000);
    const payload = JSON.stringify({
      id: `evt_sent_${now}`,
      object: 'event',
      type,
      created: now,
      livemode: false,
      data: { object },
    });
    const header = new Stripe('sk_test_unused').webhooks.generateTestHeaderString({
      payload,
      secret: signedWith,
      timestamp: now,
    });
    const { statusCode } = await test.server.inject({
      method: 'POST',
      url: '/webhooks/stripe',
      headers: { 'content-type': 'application/json', 'stripe-signature': header },
      payload,
    });
    return statusCode;
  };
  /** What a webhook has begun comes to its end. */
  const heard = async (expected: number) => {
    for (const late = Date.now() + 20_000; (await signals()).length < expected && Date.now() < late; )
      await new Promise((done) => setTimeout(done, 20));
    await test.app.signals.service.turn();
  };

  it('that the network warns of it, which the charge itself never says, is told by a webhook, from what is read then', async () => {
    forward(60);
    const warning = stripe.warnOfFraud(charge);
    const at = stripe.now;
    // Whoever can't sign tells nothing.
    expect(await send('radar.early_fraud_warning.created', warning, 'whsec_another_secret')).toBe(401);
    expect(await signals()).toEqual([]);
    forward(5);
    expect(await send('radar.early_fraud_warning.created', warning)).toBe(202);
    await heard(1);
    expect(await signals()).toEqual([['payment.warning', at, null]]);
    expect(await reasons()).toEqual(['WARNING']);
    // Read again, by whatever way, it is the same.
    forward(60);
    await poll();
    expect(await signals()).toHaveLength(1);
    const leaves = JSON.stringify([await test.events('signal.receive'), await test.events('rule.verdict'), test.logLines]);
    for (const word of [warning.id, charge, intent, customer]) expect(leaves).not.toContain(word);
  });

  it('is told by the next poll where no webhook came: a warning, a review that is open, a dispute with its date', async () => {
    forward(60);
    stripe.warnOfFraud(charge);
    const warned = stripe.now;
    forward(60);
    const review = stripe.openReview(charge);
    const reviewed = stripe.now;
    forward(60);
    await poll();
    expect(await signals()).toEqual([
      ['payment.review', reviewed, null],
      ['payment.warning', warned, null],
    ]);
    // Of one payment within the rule's window it is one alert.
    expect(await reasons()).toEqual(['REVIEW']);
    forward(2 * day);
    const due = stripe.now + 7 * day;
    const details = { due_by: due, has_evidence: false, past_due: false, submission_count: 0 };
    stripe.openDispute(charge, { evidence_details: details });
    const disputed = stripe.now;
    stripe.closeReview(review.id, 'disputed');
    forward(60);
    await poll();
    expect((await signals())[0]).toEqual(['payment.dispute', disputed, due]);
    await test.as('ana', opens);
    expect((await reasons()).sort()).toEqual(['DISPUTE', 'REVIEW']);
    const { data } = await test.as('ana', alerts);
    for (const { guidance } of data.alerts.nodes)
      expect(guidance.map(({ code }: { code: string }) => code)).toContain('ANSWER_PROVIDER');
    forward(60);
    await poll();
    expect(await signals()).toHaveLength(3);
  });

  it('is nothing where a review was closed before anybody looked', async () => {
    forward(60);
    const review = stripe.openReview(charge);
    stripe.closeReview(review.id, 'approved');
    forward(60);
    await poll();
    expect(await signals()).toEqual([]);
  });

  it('is told as far as the key may read, and later where Stripe doesn’t answer', async () => {
    forward(60);
    stripe.warnOfFraud(charge);
    stripe.openReview(charge);
    stripe.denied = [/early_fraud_warnings/, /reviews/];
    forward(60);
    await poll();
    expect((await signals()).map(([type]) => type)).toEqual(['payment.review']);
    stripe.denied = [];
    stripe.openDispute(charge);
    stripe.failNext(1, { kind: 'status', status: 500 }, /disputes/);
    forward(60);
    await poll();
    expect((await signals()).map(([type]) => type)).toEqual(['payment.review']);
    forward(60);
    await poll();
    expect((await signals()).map(([type]) => type)).toEqual(['payment.dispute', 'payment.review']);
  });
});
