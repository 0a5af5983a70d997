import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { LeaseLost } from '../../src/background/outbox';
import { rowsWithoutEvent } from '../../src/cli/rows-without-event';
import { recordSignals } from '../../src/features/signals/recorder';
import { DeliveryFailed } from '../../src/upstream/delivery/delivery.port';
import { countOf, told } from '../support/answers';
import { TestApp } from '../support/app';
import {
  approveUpdate,
  type Case,
  cancelUpdate,
  channelsOf,
  erase,
  flaws,
  mails,
  newestToken,
  readUpdate,
  rejection,
  rejectUpdate,
  Updates,
  withheld,
  writerOf,
} from '../support/credentials';
import { HeldPayments } from '../support/holds';
import { rulesWithModes } from '../support/rules-file';

const minute = 60_000;
const hour = 60 * minute;
const day = 24 * hour;
/** The clock says 1 September 2026: this month ends in 29 days and some hours. */
const ending = { expiryMonth: 9, expiryYear: 2026, status: 'EXPIRING' as const };
const endsAt = Date.UTC(2026, 9, 1) - 1;

const panel = `query Panel($id: ID!) { ticket(id: $id) { assistance { id } credentialUpdates { id kind state reason before { last4 }
  ticket { id } requestedBy { displayName } history { to actor reason } } } }`;
const listed = 'query { credentialUpdates(first: 50) { totalCount nodes { id state reason ticket { id } } } }';
const awaiting = 'query { credentialUpdates(first: 50, filter: { awaitingMyDecision: true }) { nodes { id } } }';
const trail = 'query Trail($ticketId: ID) { decisionTrail(ticketId: $ticketId) { eventId action restsOn subject { id } } }';
const guidance = 'query { alerts(first: 50) { nodes { rule ticket { id } guidance { code } } } }';

describe('a customer whose card ends soon', () => {
  const folder = mkdtempSync(join(tmpdir(), 'counterfoil-cards-'));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  let test: TestApp;
  let updates: Updates;
  afterEach(() => test.stop());

  const start = async ({ mode = 'ON', mostADay = 100 } = {}) => {
    const rulesFile = join(folder, 'rules.yaml');
    writeFileSync(rulesFile, rulesWithModes({ 'card-expiring': mode }));
    test = await TestApp.start({
      config: { rulesFile, updates: { leaseSeconds: 60, cardInvitations: { mostADay, linkDays: 7 } } },
    });
    updates = new Updates(test);
    await test.app.signingLog?.sequencer.turn();
    await test.app.signals.service.readLog();
    await test.app.signals.service.turn();
  };
  /** A customer whose default card ends with this month. */
  const next = async (): Promise<Case> => {
    const of = await updates.next();
    test.payments.changeMethod(of.payer, of.usual.reference, { ...ending, isDefault: true });
    await test.app.sources.confirmLink(of.customerId);
    return of;
  };
  const payerOf = async ({ customerId }: Case): Promise<string> => {
    const [row] = await test.app.database.query<{ id: string }>(
      'SELECT payment_customer_id AS id FROM helpdesk_customer WHERE id = ?',
      [customerId],
    );
    return row?.id ?? '';
  };
  let told_ = 0;
  /** What is told once the provider was asked: see `deadlines.test`. */
  const signal = async (of: Case, { deadline = new Date(endsAt), source = 'demo-pay', card = of.usual.id } = {}) => {
    told_ += 1;
    const subjects = { customer: await payerOf(of), card };
    const one = { source, id: `ends-${told_}`, type: 'card.expiring', occurredAt: test.clock.now(), subjects } as const;
    await test.app.database.system('signals', 'signal.receive', async (change) => {
      await recordSignals(change, [{ ...one, facts: { deadline } }]);
      change.record('signal.receive', { subject: { type: 'SignalSource', id: source }, detail: { signals: 1 } });
    });
    await test.app.signals.service.turn();
  };
  /** Everything that is due now. */
  const work = async () => {
    await test.app.asked.invitationJobs.drain();
    await updates.drain();
  };
  const rows = () =>
    test.app.database.query<{ id: string; state: string; reason: string | null; update_id: string | null; due_at: number }>(
      'SELECT id, state, reason, update_id, due_at FROM card_invitation ORDER BY due_at, id',
    );
  const outcome = async () => (await rows()).map(({ state, reason }) => reason ?? state);
  const invited = async (): Promise<string> => {
    const [row] = await rows();
    if (!row?.update_id) throw new Error(`nobody was asked: ${JSON.stringify(row)}`);
    return row.update_id;
  };
  const linkMails = async () => (await mails(test, 100)).filter(({ text }) => text.includes('/confirm/'));

  it('is asked once for a new one, by the rule and by nobody else, and says yes on a page of their own', async () => {
    await start();
    const of = await next();
    await signal(of);
    await work();
    const id = await invited();
    expect(await updates.path(id)).toEqual(['REQUESTED', 'AWAITING_CUSTOMER']);
    const sent = await linkMails();
    expect(sent).toHaveLength(1);
    const { text = '', subject } = sent[0] as { text?: string; subject?: string };
    expect(subject).toContain('a card that you pay with ends soon');
    const words = text.replace(/\/confirm\/\S+/, '').replace(/until \S+ \S+ UTC/, '');
    for (const word of [of.usual.last4, '09/2026', '2026', 'Ana', of.reference, 'request']) expect(words).not.toContain(word);
    const token = await newestToken(test);
    const page = await test.server.inject({ url: `/confirm/${token}` });
    expect(page.statusCode).toBe(200);
    expect(page.body).toContain('noticed that your card ends soon');
    expect(page.body).toContain('No, leave it as it is');
    expect(page.body).toContain('I want to replace');
    for (const word of ['Reason given', 'Your ticket', 'Asked for by', 'asked myself', 'Ana'])
      expect(page.body).not.toContain(word);
    const unsure = await updates.confirm(token, { agreed: false });
    expect(unsure).toMatchObject({
      outcome: 'again',
      problems: [{ field: 'agreed', message: 'Tick the box if you want this yourself; otherwise say no.' }],
    });
    await updates.enterCard(await updates.confirm(token));
    await updates.wait(minute);
    expect(await updates.path(id)).toEqual(['REQUESTED', 'AWAITING_CUSTOMER', 'AWAITING_PROVIDER', 'APPLYING', 'APPLIED']);
    const [request] = await test.events('credential.request');
    const [planned] = await test.events('card-invitation.plan');
    const [ended] = await test.events('card-invitation.end');
    const [row] = await rows();
    expect(request).toMatchObject({
      actor: { kind: 'system', id: 'system:signals' },
      ticket: null,
      assistance: null,
      subject: { id },
      detail: { kind: 'REPLACE_CARD', method: of.usual.id, restsOn: [row?.id], staffRows: [] },
    });
    expect(planned).toMatchObject({ subject: { id: row?.id }, detail: { rule: 'card-expiring', method: of.usual.id } });
    expect(((planned as { detail: unknown }).detail as { restsOn: string[] }).restsOn).toEqual([
      expect.stringMatching(/^demo-pay\//),
    ]);
    expect(ended).toMatchObject({ subject: { id: row?.id }, detail: { state: 'ASKED', update: id } });
    // No ticket hears of it.
    expect(test.helpdesk.notes).toEqual([]);
    expect(await flaws(test)).toEqual([]);
    // Nobody's work.
    await test.app.signingLog?.sequencer.turn();
    await test.app.signals.service.readLog();
    const signals = await test.app.database.query<{ type: string; event_id: string }>(
      "SELECT type, event_id FROM risk_signal WHERE type IN ('staff.update', 'credential.changed')",
    );
    expect(signals.map(({ type }) => type)).toEqual(['credential.changed']);
  });

  it('is not asked where the rule only records, and not where none may be asked', async () => {
    await start({ mode: 'SHADOW' });
    await signal(await next());
    await work();
    expect([await countOf(test, 'card_invitation'), await linkMails()]).toEqual([0, []]);
    await test.stop();
    await start({ mostADay: 0 });
    await signal(await next());
    await work();
    expect([await countOf(test, 'card_invitation'), await linkMails()]).toEqual([0, []]);
  });

  it('is asked once for a card and its end, whatever came of it, and for nothing that a sender invents', async () => {
    await start();
    const of = await next();
    const other = await updates.next();
    // A card of somebody else, one that ends otherwise, one that nobody knows.
    await signal(of, { source: 'shop', card: other.usual.id });
    await signal(of, { source: 'shop', deadline: new Date(endsAt - day) });
    await signal(of, { source: 'shop', card: 'pm_01ARZ3NDEKTSV4RRFFQ69G5FAV' });
    await signal(other, { source: 'shop' });
    expect(await countOf(test, 'card_invitation')).toBe(0);
    await signal(of);
    await work();
    const id = await invited();
    const token = await newestToken(test);
    const view = await updates.desk.view(token);
    await updates.desk.refuse(token, view?.shown ?? '');
    for (let days = 0; days < 3; days += 1) {
      test.clock.forward(8 * day);
      await test.app.services.credentialExpiry.run();
      await signal(of);
      await work();
    }
    expect(await updates.path(id)).toEqual(['REQUESTED', 'AWAITING_CUSTOMER', 'REFUSED']);
    expect([await countOf(test, 'card_invitation'), (await linkMails()).length]).toEqual([1, 1]);
  });

  it.each<[string, string, (of: Case) => unknown]>([
    ['the provider has learnt of a newer one', 'RENEWED', (of) => card(of, { expiryYear: 2031, status: 'ACTIVE' })],
    ['the customer has removed it', 'METHOD_GONE', (of) => card(of, { status: 'REMOVED' })],
    [
      'nothing is paid with it any more',
      'NOT_USED',
      async (of) => {
        for (const { reference } of (await updates.provider.readMethod(of.payer, of.usual.reference))?.subscriptions ?? [])
          await updates.provider.perform(
            { action: 'SET_SUBSCRIPTION_DEFAULT', customer: of.payer, subscription: reference, method: of.other.reference },
            reference,
          );
        test.payments.changeMethod(of.payer, of.other.reference, { isDefault: true });
      },
    ],
    [
      'their address changed lately',
      'HIGH_RISK',
      (of) => updates.changeCustomer(of, { emailChangedAt: new Date(test.clock.now().getTime() - day) }),
    ],
    ['the payment side has no address', 'NO_CONTACT', (of) => updates.changeCustomer(of, { email: null, emailChangedAt: null })],
    ['it is no longer sure who they are', 'LINK_CHANGED', (of) => updates.changeCustomer(of, { helpdeskReference: null })],
    ['they were erased', 'CUSTOMER_ERASED', (of) => erase(test, of.customerId)],
    [
      'an agent has asked them',
      'ASKED_ALREADY',
      async (of) => {
        const { id } = await updates.asked(of, of.usual, 'REPLACE_CARD');
        await test.as('ana', cancelUpdate, { id });
      },
    ],
  ])('is not asked where, before their turn, %s', async (_, dropped, change) => {
    await start();
    const of = await next();
    await signal(of);
    const sent = (await linkMails()).length;
    await change(of);
    const asked = (await linkMails()).length;
    await work();
    expect(await outcome()).toEqual([dropped]);
    expect((await linkMails()).length).toBe(asked);
    expect(sent).toBe(0);
    expect((await test.events('card-invitation.end')).map(({ detail }) => detail)).toEqual([
      { state: 'DROPPED', reason: dropped },
    ]);
    expect(await flaws(test)).toEqual([]);
  });
  const card = (of: Case, over: Parameters<TestApp['payments']['changeMethod']>[2]) =>
    test.payments.changeMethod(of.payer, of.usual.reference, over);

  it('is asked later while something is held, another change is under way or the provider doesn’t answer', async () => {
    await start();
    const of = await next();
    const holds = new HeldPayments(test);
    await holds.place('ana', of.reference, { effects: ['HOLD_ORDER'], until: holds.in(hour) });
    const { id: other } = await updates.asked(of, of.other, 'BILLING_ADDRESS');
    const before = (await linkMails()).length;
    await signal(of);
    await work();
    expect(await outcome()).toEqual(['PLANNED']);
    test.clock.forward(7 * hour);
    await holds.drain();
    await holds.sweep();
    await work();
    expect(await outcome()).toEqual(['PLANNED']);
    await test.as('ana', cancelUpdate, { id: other });
    await updates.assist(of.ticketId);
    await test.as('ana', cancelUpdate, { id: other });
    test.payments.goDown();
    test.clock.forward(7 * hour);
    await work();
    expect([await outcome(), (await linkMails()).length]).toEqual([['PLANNED'], before]);
    test.payments.comeBack();
    test.clock.forward(hour);
    await work();
    expect(await outcome()).toEqual(['ASKED']);
    expect((await linkMails()).length).toBe(before + 1);
  });

  it('waits for their turn: so many a day, one after the other, however many turns have come meanwhile', async () => {
    await start({ mostADay: 24 });
    const all = [await next(), await next(), await next()];
    for (const of of all) await signal(of);
    const at = (await rows()).map(({ due_at }) => Number(due_at));
    expect(at.map((due) => (due - (at[0] ?? 0)) / hour)).toEqual([0, 1, 2]);
    await work();
    expect(await outcome()).toEqual(['ASKED', 'PLANNED', 'PLANNED']);
    test.payments.goDown();
    test.clock.forward(30 * minute);
    await work();
    expect((await linkMails()).length).toBe(1);
    test.clock.forward(6 * hour);
    test.payments.comeBack();
    await work();
    expect((await linkMails()).length).toBe(2);
    test.clock.forward(59 * minute);
    await work();
    expect((await linkMails()).length).toBe(2);
    test.clock.forward(hour);
    await work();
    expect((await linkMails()).length).toBe(3);
    // Whose turn would come when the card has ended isn't asked at all, which the log says.
    await test.stop();
    await start({ mostADay: 1 });
    test.clock.forward(27 * day);
    const late = [await next(), await next(), await next(), await next()];
    for (const of of late) await signal(of);
    expect(await countOf(test, 'card_invitation')).toBe(3);
    expect(test.logLines.filter((line) => line.includes('updates.cardInvitations'))).toHaveLength(1);
  });

  it('is asked by nobody while none may be, and no more once the card has ended', async () => {
    await start();
    const all = [await next(), await next()];
    for (const of of all) await signal(of);
    await work();
    Object.assign(
      (Reflect.get(test.app.asked.invitationJobs, 'parts') as { handlers: { INVITE: { parts: object } } }).handlers.INVITE.parts,
      { mostADay: 0 },
    );
    test.clock.forward(day);
    await work();
    expect([await outcome(), (await linkMails()).length]).toEqual([['ASKED', 'PLANNED'], 1]);
    test.clock.forward(30 * day);
    await work();
    expect([await outcome(), (await linkMails()).length]).toEqual([['ASKED', 'CARD_ENDED'], 1]);
  });

  it('is seen on their ticket under an assistance, by supervisors as an outline, and by nobody else', async () => {
    await start();
    const of = await next();
    const stranger = await updates.next();
    await signal(of);
    await work();
    const id = await invited();
    const { data, errors } = told(await test.as('ana', panel, { id: of.ticketId }));
    expect(errors).toEqual([]);
    expect(data.ticket.credentialUpdates).toEqual([
      {
        id,
        kind: 'REPLACE_CARD',
        state: 'AWAITING_CUSTOMER',
        reason: 'The card ends soon.',
        before: { last4: of.usual.last4 },
        ticket: null,
        requestedBy: null,
        history: [
          { to: 'REQUESTED', actor: 'SYSTEM', reason: null },
          { to: 'AWAITING_CUSTOMER', actor: 'SYSTEM', reason: null },
        ],
      },
    ]);
    const elsewhere = told(await test.as('ana', panel, { id: stranger.ticketId }));
    expect(elsewhere.data.ticket.credentialUpdates).toEqual([]);
    const ids = async (who: 'ana' | 'ben' | 'sam') => {
      const { data: found } = await test.as(who, listed);
      return found.credentialUpdates.nodes.map((each: { id: string }) => each.id);
    };
    expect([await ids('ana'), await ids('sam'), await ids('ben')]).toEqual([[id], [id], []]);
    const outline = await test.as('sam', readUpdate, { id });
    expect(outline.data.credentialUpdate).toMatchObject({ id, state: 'AWAITING_CUSTOMER', reason: null, before: null });
    expect(withheld(outline.errors ?? [])).toEqual([
      'after',
      'before',
      'failure',
      'history.reason',
      'needsApproval',
      'needsCode',
      'reason',
      'riskRules',
    ]);
    expect(told(await test.as('ben', readUpdate, { id })).errors).toEqual([['credentialUpdate', 'NOT_FOUND']]);
    // Once her assistance has ended it is nobody's of the agents.
    const [assistance] = await test.app.database.query<{ id: string }>(
      'SELECT id FROM assistance WHERE ticket_id = ? AND ended_at IS NULL',
      [of.ticketId],
    );
    await test.as('ana', 'mutation End($id: ID!) { endAssistance(id: $id) { id } }', { id: assistance?.id });
    expect([await ids('ana'), told(await test.as('ana', readUpdate, { id })).errors]).toEqual([
      [],
      [['credentialUpdate', 'NOT_FOUND']],
    ]);
  });

  it('offers the agent nothing more while the customer is asked, and again afterwards', async () => {
    await start();
    const of = await next();
    await signal(of);
    const steps = async () => {
      const { data } = await test.as('ana', guidance);
      const found = data.alerts.nodes.find((each: { ticket: { id: string } | null }) => each.ticket?.id === of.ticketId);
      return found?.guidance.map(({ code }: { code: string }) => code);
    };
    expect(await steps()).toEqual(['OFFER_REPLACEMENT', 'RESOLVE']);
    await work();
    expect(await steps()).toEqual(['RESOLVE']);
    const token = await newestToken(test);
    await updates.desk.refuse(token, (await updates.desk.view(token))?.shown ?? '');
    expect(await steps()).toEqual(['OFFER_REPLACEMENT', 'RESOLVE']);
  });

  it('is asked no more where whoever assists them, or a supervisor, calls it off; nobody else does', async () => {
    await start();
    const of = await next();
    await signal(of);
    await work();
    const id = await invited();
    const cancel = async (who: 'ana' | 'ben' | 'sam', update = id) => told(await test.as(who, cancelUpdate, { id: update }));
    const denials = await countOf(test, 'audit_event', "outcome = 'DENIED'");
    expect((await cancel('ben')).errors).toEqual([['cancelCredentialUpdate', 'NOT_FOUND']]);
    expect((await cancel('sam', 'cru_01ARZ3NDEKTSV4RRFFQ69G5FAV')).errors).toEqual([['cancelCredentialUpdate', 'NOT_FOUND']]);
    expect(await updates.state(id)).toBe('AWAITING_CUSTOMER');
    expect((await cancel('ana')).data.cancelCredentialUpdate).toEqual({ id, state: 'CANCELLED' });
    expect((await cancel('sam')).data.cancelCredentialUpdate).toEqual({ id, state: 'CANCELLED' });
    expect(await updates.path(id)).toEqual(['REQUESTED', 'AWAITING_CUSTOMER', 'CANCELLED BY_HAND']);
    expect(
      (await test.events('credential.cancel')).map(({ actor, ticket }) => [(actor as { kind: string }).kind, ticket]),
    ).toEqual([['staff', null]]);
    expect(await updates.desk.view(await newestToken(test))).toBeNull();
    expect(denials).toBeLessThanOrEqual(await countOf(test, 'audit_event', "outcome = 'DENIED'"));
    expect(await flaws(test)).toEqual([]);
  });

  it('is approved by a supervisor where a hold came after their yes, and by nobody below', async () => {
    await start();
    const of = await next();
    await signal(of);
    await work();
    const id = await invited();
    const answer = await updates.confirm(await newestToken(test));
    const holds = new HeldPayments(test);
    await holds.place('ana', of.reference, { effects: ['HOLD_ORDER'], until: holds.in(hour) });
    await updates.enterCard(answer);
    expect(await updates.state(id)).toBe('AWAITING_APPROVAL');
    expect((await test.as('sam', awaiting)).data.credentialUpdates.nodes).toEqual([{ id }]);
    expect((await test.as('ana', awaiting)).data.credentialUpdates.nodes).toEqual([]);
    const seen = await test.as('sam', readUpdate, { id });
    expect(seen.data.credentialUpdate).toMatchObject({ riskRules: ['active-hold'], before: { last4: of.usual.last4 } });
    const byAgent = told(await test.as('ana', approveUpdate, { id }));
    expect(byAgent.errors).toEqual([['', 'DENIED', 'ROLE']]);
    const absent = await test.as('sam', approveUpdate, { id: 'cru_01ARZ3NDEKTSV4RRFFQ69G5FAV' });
    expect(told(absent).errors).toEqual([['approveCredentialUpdate', 'NOT_FOUND']]);
    expect(await updates.state(id)).toBe('AWAITING_APPROVAL');
    expect((await test.events('credential.approve')).length).toBe(0);
    const approved = told(await test.as('sam', approveUpdate, { id }));
    expect(approved.data.approveCredentialUpdate).toMatchObject({ id, state: 'APPLYING', approval: { decision: 'APPROVED' } });
    expect(told(await test.as('sam', approveUpdate, { id })).errors).toEqual([]);
    expect(told(await test.as('sam', rejectUpdate, { id, reason: rejection })).errors[0]?.slice(1)).toEqual(['CONFLICT']);
    await updates.drain();
    expect(await updates.state(id)).toBe('APPLIED');
    expect(await flaws(test)).toEqual([]);
  });

  it('is asked once where the gateway ended while the link left, and again where the mail server took none', async () => {
    await start();
    const of = await next();
    await signal(of);
    await test.app.asked.invitationJobs.drain();
    const { mail } = channelsOf(test);
    const send = mail.send.bind(mail);
    const fails = (error: Error) => {
      mail.send = async () => {
        throw error;
      };
    };
    fails(new DeliveryFailed('mail', 'unreachable'));
    await updates.drain();
    const id = await invited();
    expect(await updates.state(id)).toBe('REQUESTED');
    // It leaves, and nobody is left to write that down.
    mail.send = async (given) => {
      await send(given);
      throw new LeaseLost();
    };
    test.clock.forward(5_000);
    await updates.drain();
    mail.send = send;
    await updates.wait(10 * minute);
    expect(await updates.path(id)).toEqual(['REQUESTED', 'AWAITING_CUSTOMER']);
    expect((await test.events('credential.link-lost')).length).toBe(1);
    expect(await linkMails()).toHaveLength(1);
    expect(await updates.desk.view(await newestToken(test))).not.toBeNull();
    expect(await flaws(test)).toEqual([]);
  });

  it('stands in the database as its events say, or the doctor tells', async () => {
    await start();
    await signal(await next());
    await work();
    const [row] = await rows();
    const look = async () => (await rowsWithoutEvent(test.app.database)).findings;
    expect(await look()).toEqual([]);
    for (const [change, named] of [
      ["state = 'DROPPED'", 'state'],
      ['update_id = NULL', 'updateId'],
      ['due_at = due_at - 60000', 'dueAt'],
      ["source = 'elsewhere'", 'source'],
      ["payment_customer_id = 'pcu_x'", 'paymentCustomerId'],
    ] as const) {
      const before = await test.app.database.query<Record<string, string | number | null>>('SELECT * FROM card_invitation');
      await writerOf(test).query(`UPDATE card_invitation SET ${change}`);
      expect(await look()).toEqual([
        `1 customers whom rules have asked that their events say otherwise of: ${row?.id} (${named})`,
      ]);
      const { state, update_id: updateId, due_at: dueAt, source, payment_customer_id: payer } = before[0] ?? {};
      await writerOf(test).query(
        'UPDATE card_invitation SET state = ?, update_id = ?, due_at = ?, source = ?, payment_customer_id = ?',
        [state, updateId, dueAt, source, payer],
      );
    }
    await writerOf(test).query('DELETE FROM card_invitation');
    expect(await look()).toEqual([`1 customers whom rules have asked that the log has events of are gone: ${row?.id}`]);
  });

  it('is named in the trail with the verdict and what it rests on', async () => {
    await start();
    const of = await next();
    await signal(of);
    await work();
    await test.app.signingLog?.sequencer.turn();
    const { data } = await test.as('ada', trail, { ticketId: of.ticketId });
    const steps = data.decisionTrail as { eventId: string; action: string; restsOn: string[]; subject: { id: string } | null }[];
    const found = (action: string) => steps.find((each) => each.action === action);
    const [verdict, planned, request] = ['rule.verdict', 'card-invitation.plan', 'credential.request'].map(found);
    expect(planned?.restsOn).toEqual(expect.arrayContaining([verdict?.eventId]));
    expect(planned?.restsOn.some((each) => each.startsWith('demo-pay/'))).toBe(true);
    expect(request?.restsOn).toEqual([planned?.subject?.id]);
  });
});
