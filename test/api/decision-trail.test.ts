import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { helpdeskReferenceOf } from '../../src/development/merchant/merchant';
import { ownSource } from '../../src/features/signals/own-source';
import { recordSignals } from '../../src/features/signals/recorder';
import type { Signal } from '../../src/risk/signal';
import { customerOf } from '../support/alerts';
import { eventsOf, told } from '../support/answers';
import { TestApp } from '../support/app';
import { tamper } from '../support/audit-log';
import { type Case, erase } from '../support/credentials';
import { Pipeline } from '../support/decisions';
import { Questions } from '../support/recognitions';
import { rulesWithModes } from '../support/rules-file';

const minute = 60_000;
const trail = `query ($ticketId: ID, $transactionId: ID) { decisionTrail(ticketId: $ticketId, transactionId: $transactionId) {
  eventId leafIndex at action outcome actor { kind } subject { type id } ticketId assistanceId
  rule version counts from to effects restsOn ledTo otherCustomers isAltered isCut } }`;

interface Step {
  readonly eventId: string;
  readonly leafIndex: number;
  readonly action: string;
  readonly actor: { readonly kind: string };
  readonly subject: { readonly type: string; readonly id: string } | null;
  readonly rule: string | null;
  readonly version: number | null;
  readonly counts: readonly string[];
  readonly from: string | null;
  readonly to: string | null;
  readonly effects: readonly string[];
  readonly restsOn: readonly string[];
  readonly ledTo: readonly string[];
  readonly otherCustomers: string | null;
  readonly isAltered: boolean;
  readonly isCut: boolean;
}

describe('what led to a decision', () => {
  let test: TestApp;
  let questions: Questions;
  let of: Case;
  const folder = mkdtempSync(join(tmpdir(), 'counterfoil-trail-'));
  beforeAll(async () => {
    const rulesFile = join(folder, 'rules.yaml');
    writeFileSync(rulesFile, rulesWithModes({ 'card-testing': 'ON', 'agent-breadth': 'ON' }));
    test = await TestApp.start({ config: { rulesFile } });
    await test.app.signals.service.turn();
    questions = new Questions(test);
  });
  beforeEach(async () => {
    of = await questions.updates.next();
  });
  afterAll(async () => {
    await test.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  const turn = () => test.app.signingLog?.sequencer.turn();
  const steps = async (asked: Record<string, string>, who = 'ada'): Promise<readonly Step[]> => {
    await turn();
    const { data, errors } = told(await test.as(who, trail, asked));
    expect(errors).toEqual([]);
    return data.decisionTrail;
  };
  const one = (found: readonly Step[], action: string): Step => {
    const matching = found.filter((each) => each.action === action);
    expect([action, matching.length]).toEqual([action, 1]);
    return matching[0] as Step;
  };
  let made = 0;
  const receive = async (
    signals: readonly Pick<Signal, 'type' | 'subjects' | 'facts' | 'occurredAt' | 'source'>[],
    ids: readonly string[] = [],
  ) => {
    const whole = signals.map((each, at): Signal => {
      made += 1;
      return { id: ids[at] ?? `person@example.com-${made}`, ...each };
    });
    await test.app.database.system('signals', 'signal.receive', async (change) => {
      await recordSignals(change, whole);
      change.record('signal.receive', { subject: { type: 'SignalSource', id: 'shop' }, detail: { signals: whole.length } });
    });
    await test.app.signals.service.turn();
  };
  const cards = (customer: string, count: number) =>
    Array.from({ length: count }, (_, index) => ({
      source: 'shop',
      type: 'payment.attempt.declined',
      occurredAt: new Date(test.clock.now().getTime() - (count - index) * minute),
      subjects: { customer, card: `card-${made}-${index}` },
      facts: { country: 'DE', declineCode: 'incorrect_cvc', amount: { minorUnits: 98_765, currency: 'EUR' } },
    }));
  const assistanceOf = async (ticketId: string): Promise<string> => {
    const [row] = await test.app.database.query<{ id: string }>('SELECT id FROM assistance WHERE ticket_id = ?', [ticketId]);
    return row?.id ?? '';
  };

  it('goes from signals by their verdict to the alert, and names neither people nor places', async () => {
    await receive(cards(of.customerId, 6));
    const found = await steps({ ticketId: of.ticketId });
    expect(found.map(({ leafIndex }) => leafIndex)).toEqual(found.map(({ leafIndex }) => leafIndex).sort((a, b) => a - b));
    const [verdict, alert] = [one(found, 'rule.verdict'), one(found, 'alert.raise')];
    expect(verdict).toMatchObject({
      rule: 'card-testing',
      version: expect.any(Number),
      effects: expect.arrayContaining(['alert']),
    });
    expect(verdict.counts).toEqual(expect.arrayContaining([expect.stringMatching(/^cards \d+$/)]));
    expect(verdict.restsOn).toEqual(expect.arrayContaining([expect.stringMatching(/^shop\/[\w-]{22}$/)]));
    const demand = one(found, 'demand.open');
    expect([...verdict.ledTo].sort()).toEqual([alert.eventId, demand.eventId].sort());
    expect(demand.restsOn).toContain(verdict.eventId);
    expect(alert.restsOn).toEqual(expect.arrayContaining([verdict.eventId, ...verdict.restsOn]));
    expect(alert).toMatchObject({ rule: 'card-testing', subject: { type: 'Alert', id: expect.stringMatching(/^alr_/) } });
    expect(one(found, 'assistance.begin').subject?.id).toBe(await assistanceOf(of.ticketId));
    expect(JSON.stringify(found)).not.toMatch(/98.?765|EUR|"DE"|example\.com|incorrect_cvc/);
    expect(JSON.stringify(found)).not.toContain(of.customerId);
    expect(found.every(({ isAltered, isCut }) => !isAltered && !isCut)).toBe(true);
  });

  it('goes from the verdict by the demand to what the payment pipeline was told', async () => {
    await receive(cards(of.customerId, 6));
    const told = await new Pipeline(test).decide({ customer: of.payer });
    expect(told.verdict).toBe('STEP_UP');
    const found = await steps({ ticketId: of.ticketId });
    const [demand, present, decision] = [one(found, 'demand.open'), one(found, 'demand.present'), one(found, 'decision.make')];
    expect(decision).toMatchObject({ to: 'STEP_UP', actor: { kind: 'service' } });
    expect(decision.restsOn).toContain(demand.subject?.id);
    expect(demand.ledTo).toEqual(expect.arrayContaining([decision.eventId]));
    expect(present.subject).toEqual(demand.subject);
  });

  it('goes from the question by the customer’s no to the hold, from the payment as from the ticket', async () => {
    const paid = await questions.payment(of);
    const { id, token } = await questions.asked(paid);
    await questions.no(token);
    const found = await steps({ transactionId: paid.transactionId });
    const [ask, answer, hold] = [one(found, 'recognition.ask'), one(found, 'recognition.answer'), one(found, 'hold.place')];
    expect(ask.restsOn).toEqual(expect.arrayContaining([of.ticketId, await assistanceOf(of.ticketId)]));
    expect(ask.ledTo).toContain(hold.eventId);
    expect([answer.to, answer.actor.kind]).toEqual(['DISOWNED', 'customer']);
    expect(hold).toMatchObject({ to: 'PLACING', effects: expect.arrayContaining(['DEFER_CAPTURE']) });
    expect(hold.restsOn).toEqual(expect.arrayContaining([id, of.ticketId]));
    const byTicket = await steps({ ticketId: of.ticketId });
    expect(byTicket.map(({ eventId }) => eventId)).toEqual(found.map(({ eventId }) => eventId));
  });

  it('goes from an assistance to the brake that rests on what was shown under it', async () => {
    const assistanceId = await assistanceOf(of.ticketId);
    const { data } = await test.as('ana', '{ viewer { id } }');
    const seen = Array.from({ length: 30 }, (_, index) => ({
      source: ownSource,
      type: 'staff.disclosure',
      occurredAt: new Date(test.clock.now().getTime() - (30 - index) * 20_000),
      subjects: { staff: data.viewer.id as string, team: 'cards', customer: `cus_${index}`, ticket: `tkt_${index}` },
      facts: {},
    }));
    await receive(
      seen,
      [...seen.keys()].map((at) => (at === 15 ? `${assistanceId}:shown:1` : `made-up:${at}`)),
    );
    const found = await steps({ ticketId: of.ticketId });
    const [brake, begun] = [one(found, 'brake.place'), one(found, 'assistance.begin')];
    const verdict = found.find(({ rule, action }) => action === 'rule.verdict' && rule === 'agent-breadth') as Step;
    expect(brake).toMatchObject({ rule: 'agent-breadth', to: 'READS', counts: [expect.stringMatching(/^signals \d+$/)] });
    expect(brake.restsOn).toEqual(
      expect.arrayContaining([verdict.eventId, assistanceId, `${ownSource}/${assistanceId}:shown:1`]),
    );
    expect(verdict.counts).toEqual(['customers 5 or more']);
    const tickets = JSON.stringify(found).match(/tkt_\w+/g);
    expect([...new Set(tickets)]).toEqual([of.ticketId]);
    expect(begun.ledTo).toContain(brake.eventId);
    expect(verdict.ledTo).toContain(brake.eventId);
    const other = await steps({ ticketId: (await questions.updates.next()).ticketId });
    expect(other.map(({ action }) => action)).not.toContain('brake.place');
    const [placed] = await test.app.database.query<{ id: string }>("SELECT id FROM staff_brake WHERE state <> 'RELEASED'");
    for (const who of ['oz', 'ada'])
      await test.as(who, `mutation { releaseBrake(id: "${placed?.id}", reason: "It was the stocktaking week") { state } }`);
    expect((await steps({ ticketId: of.ticketId })).map(({ action }) => action)).toEqual(
      expect.arrayContaining(['brake.place', 'brake.propose', 'brake.release']),
    );
  });

  it('has nothing that is about others alone, and tells of many others as five or more', async () => {
    const others = [];
    for (let n = 0; n < 5; n += 1) others.push(await questions.updates.next({ methods: 1 }));
    const group = (customerIds: readonly string[], key: string) =>
      test.app.database.system('worker', 'hold.place', (change) =>
        test.app.services.holds.place(change, {
          key,
          cause: 'RULE',
          isProposal: false,
          ticketId: null,
          customerIds,
          transactionId: null,
          emailDomain: null,
          effects: ['REVIEW'],
          until: new Date(test.clock.now().getTime() + minute),
          rule: 'domain-burst',
          ruleVersion: 1,
          restsOn: [],
          reason: null,
        }),
      );
    await group([of.customerId, ...others.map(({ customerId }) => customerId)], 'all');
    await group(
      others.map(({ customerId }) => customerId),
      'others',
    );
    const found = await steps({ ticketId: of.ticketId });
    expect(one(found, 'hold.place').otherCustomers).toBe('5 or more');
    for (const { customerId, ticketId } of others) {
      expect(JSON.stringify(found)).not.toContain(customerId);
      expect(JSON.stringify(found)).not.toContain(ticketId);
    }
  });

  it('keeps to the newest steps, and says that there were earlier ones', async () => {
    await test.app.database.system('worker', 'alert.end', async (change) => {
      const customer = await test.keys.customerUnderDigest(change, of.customerId);
      for (let n = 0; n < 505; n += 1)
        change.record('alert.end', { subject: { type: 'Alert', id: `alr_${n}` }, customers: customer ? [customer] : [] });
    });
    const found = await steps({ ticketId: of.ticketId });
    expect(found).toHaveLength(500);
    expect(found.map(({ isCut }) => isCut)).toEqual([true, ...Array.from({ length: 499 }, () => false)]);
    expect(found.at(-1)?.subject?.id).toBe('alr_504');
  });

  it('says of an event that was altered that it was, and nothing of what it states', async () => {
    await receive(cards(of.customerId, 6));
    const before = one(await steps({ ticketId: of.ticketId }), 'alert.raise');
    await tamper(
      test.app.database,
      `UPDATE audit_event SET leaf = REPLACE(CAST(leaf AS CHAR), '"rule":"card-testing"', '"rule":"decline-loop"') WHERE id = '${before.eventId}'`,
    );
    const after = one(await steps({ ticketId: of.ticketId }), 'alert.raise');
    expect(after).toMatchObject({ eventId: before.eventId, isAltered: true, rule: null, counts: [], restsOn: [], ledTo: [] });
  });

  it('stays what it was once the customer is erased, under pseudonyms', async () => {
    await receive(cards(of.customerId, 6));
    const before = await steps({ ticketId: of.ticketId });
    await erase(test, of.customerId);
    const after = await steps({ ticketId: of.ticketId });
    expect(after).toEqual(before);
  });

  it('of a ticket that is about somebody else now is on record as read of whom its steps are about, too', async () => {
    const { token } = await questions.asked(await questions.payment(of));
    await questions.no(token);
    test.helpdesk.setCustomer(of.reference, helpdeskReferenceOf(20), null);
    await test.app.sources.syncAll();
    const now = await customerOf(test, of.reference);
    expect(now).not.toBe(of.customerId);
    let found: readonly Step[] = [];
    const [disclosure] = (await eventsOf(test, async () => (found = await steps({ ticketId: of.ticketId })))).filter(
      ({ action }) => action === 'disclosure',
    );
    expect(found.map(({ action }) => action)).toEqual(expect.arrayContaining(['recognition.answer', 'hold.place']));
    const named = await test.app.database.query<{ customer_id: string }>(
      'SELECT customer_id FROM audit_customer WHERE event_id = ?',
      [disclosure?.id],
    );
    expect(named.map(({ customer_id: id }) => id).sort()).toEqual([now, of.customerId].sort());
  });

  it('is read by auditors with a second factor, one customer at a time, and each reading is on record', async () => {
    const events = await eventsOf(test, () => steps({ ticketId: of.ticketId }));
    const disclosures = events.filter(({ action }) => action === 'disclosure');
    expect(disclosures).toHaveLength(1);
    expect(disclosures[0]).toMatchObject({ detail: { objects: { Ticket: [of.ticketId] } } });
    for (const who of ['ana', 'sam', 'pia', 'oz'])
      expect(told(await test.as(who, trail, { ticketId: of.ticketId })).errors).toEqual([
        [expect.any(String), 'DENIED', expect.any(String)],
      ]);
    const token = await test.token('ada', { mfa: false });
    expect(told(await test.as({ token }, trail, { ticketId: of.ticketId })).errors[0]).toContain('MFA_REQUIRED');
    for (const asked of [{}, { ticketId: of.ticketId, transactionId: 'txn_absent' }])
      expect(told(await test.as('ada', trail, asked)).errors).toEqual([['decisionTrail', 'INVALID', 'ticketId']]);
    expect(await steps({ ticketId: 'tkt_absent' })).toEqual([]);
    expect(await steps({ transactionId: 'txn_absent' })).toEqual([]);
  });
});
