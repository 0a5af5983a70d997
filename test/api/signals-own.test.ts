import { demoTickets } from '../../src/development/merchant/cast';
import { customerOf } from '../support/alerts';
import { ticketIdOf } from '../support/answers';
import { TestApp } from '../support/app';
import { tamper } from '../support/audit-log';
import { newAddress, Updates } from '../support/credentials';
import { HeldPayments, hour, releaseMutation } from '../support/holds';
import { Questions } from '../support/recognitions';
import { sampleTexts, sampleTicket, startSample } from '../support/sample';
import { card, helpdeskCustomer, payment, type ScriptedHelpdesk, type ScriptedPayments } from '../support/scripted-sources';

type Row = Record<string, string | number | null>;
const signalsOf = async (test: TestApp, types: string, since = 0): Promise<Row[]> =>
  test.app.database.query<Row>(
    `SELECT * FROM risk_signal WHERE type LIKE ? AND received_at >= ${since} ORDER BY occurred_at, event_id`,
    [types],
  );
const known = (row: Row | undefined) =>
  Object.fromEntries(
    Object.entries(row ?? {}).filter(([name, value]) => value !== null && !['id', 'received_at', 'occurred_at'].includes(name)),
  );

describe('what sources tell', () => {
  let test: TestApp;
  let helpdesk: ScriptedHelpdesk;
  let payments: ScriptedPayments;
  let ids: { ticket: string; customer: string; payer: string; method: string };
  beforeAll(async () => {
    ({ test, helpdesk, payments } = await startSample());
    const one = async (sql: string) => String((await test.app.database.query<{ id: string }>(sql))[0]?.id);
    ids = {
      ticket: await one('SELECT id FROM helpdesk_ticket'),
      customer: await one('SELECT id FROM helpdesk_customer'),
      payer: await one('SELECT id FROM payment_customer'),
      method: await one("SELECT id FROM payment_method WHERE last4 = '4242'"),
    };
  });
  afterAll(() => test.stop());

  const paid = (reference: string, over: Parameters<typeof payment>[1] = {}) =>
    payment(reference, {
      paymentMethodReference: sampleTexts.token,
      deviceFingerprint: sampleTexts.device,
      amount: 4_999,
      country: 'FR',
      orderReference: 'order-7',
      createdAt: test.clock.now(),
      ...over,
    });
  const show = async (transactions: Parameters<ScriptedPayments['put']>[3], over = {}) => {
    test.clock.forward(60_000);
    payments.put(
      'pay-quill',
      {
        helpdeskReference: 'demo:quill',
        email: sampleTexts.paymentEmail,
        displayName: sampleTexts.paymentName,
        phone: sampleTexts.paymentPhone,
        ...over,
      },
      [card(sampleTexts.token), card('pm_second', { isDefault: false, last4: '0005', brand: 'amex' })],
      transactions,
    );
    await test.app.sources.syncAll();
  };

  it('is of every payment that it got through, once, with what is known and nothing in clear', async () => {
    const rows = await signalsOf(test, 'payment.attempt.succeeded');
    expect(rows).toHaveLength(3);
    expect(known(rows[0])).toEqual({
      source: 'demo-pay',
      event_id: expect.stringMatching(/^txn_\w+:succeeded$/) as string,
      type: 'payment.attempt.succeeded',
      customer: ids.payer,
      card: ids.method,
      device: expect.stringMatching(/^dev_/) as string,
      email_domain: expect.stringMatching(/^sub_/) as string,
      payment: expect.stringMatching(/^txn_/) as string,
      country: 'IE',
      minor_units: 100,
      currency: 'EUR',
      customer_since: expect.any(Number) as number,
    });
    await test.app.sources.syncAll();
    expect(await signalsOf(test, 'payment.attempt.succeeded')).toHaveLength(3);
  });

  it('is of a payment that was tried again: each other attempt, and when it got through', async () => {
    const declined = { status: 'DECLINED', declineCode: 'insufficient_funds', declineAdvice: 'try_again_later' } as const;
    await show([paid('ch_9', declined)]);
    await show([paid('ch_9', declined)]);
    await show([paid('ch_9', { ...declined, paymentMethodReference: 'pm_second' })]);
    await show([paid('ch_9', { paymentMethodReference: 'pm_second' })]);
    const rows = await signalsOf(test, 'payment.attempt.declined');
    expect(rows.map((row) => [row.card === ids.method, row.decline_code, row.advice, row.country])).toEqual([
      [true, 'insufficient_funds', 'try_again_later', 'FR'],
      [false, 'insufficient_funds', 'try_again_later', 'FR'],
    ]);
    expect(new Set(rows.map(({ payment: of }) => of)).size).toBe(1);
    expect(await signalsOf(test, 'payment.attempt.succeeded')).toHaveLength(4);
    expect(rows.every(({ order_subject: order }) => /^sub_/.test(String(order)))).toBe(true);
  });

  it('is of a review, a warning and a dispute, each once', async () => {
    const openedAt = test.clock.now();
    const dispute = { status: 'needs_response', reason: 'fraudulent', openedAt };
    await show([paid('ch_8', { riskSignals: ['under_review'] })]);
    await show([paid('ch_8', { riskSignals: ['under_review', 'reported_by_stripe'] })]);
    await show([paid('ch_8', { riskSignals: ['reported_by_stripe'], dispute })]);
    const told = [
      ...(await signalsOf(test, 'payment.review')),
      ...(await signalsOf(test, 'payment.warning')),
      ...(await signalsOf(test, 'payment.dispute')),
    ];
    expect(told.map(({ type }) => type)).toEqual(['payment.review', 'payment.warning', 'payment.dispute']);
    expect(Number(told[2]?.occurred_at)).toBe(openedAt.getTime());
  });

  it('is that a contact became another one', async () => {
    expect(await signalsOf(test, 'credential.changed')).toEqual([]);
    await show([], { email: 'zq.other@elsewhere.example.com' });
    const [changed, ...more] = await signalsOf(test, 'credential.changed');
    expect([known(changed).changed, known(changed).customer, more.length]).toEqual(['contact', ids.payer, 0]);
  });

  it('is of nothing that is older than what is kept', async () => {
    const before = (await signalsOf(test, 'payment.%')).length;
    await show([paid('ch_old', { createdAt: new Date(test.clock.now().getTime() - 191 * 86_400_000) })]);
    expect((await signalsOf(test, 'payment.%')).length).toBe(before);
  });

  it('is who wrote in a ticket and who answered, and when it was closed, without a word of what was said', async () => {
    const [contact] = await signalsOf(test, 'ticket.contact');
    expect(known(contact)).toEqual({
      source: 'demo',
      event_id: expect.stringMatching(/^msg_/) as string,
      type: 'ticket.contact',
      ticket: ids.ticket,
      customer: ids.customer,
      team: 'cards',
    });
    test.clock.forward(60_000);
    const held = {
      subject: sampleTexts.subject,
      customer: helpdeskCustomer('quill', { displayName: sampleTexts.name, email: sampleTexts.email, phone: sampleTexts.phone }),
    };
    const said = (reference: string, author: 'CUSTOMER' | 'STAFF') => ({
      reference,
      author: author === 'STAFF' ? { kind: author, reference: 'ana' } : { kind: author, displayName: sampleTexts.name },
      channel: 'EMAIL' as const,
      body: author === 'STAFF' ? 'Zqanswer: we look at it' : sampleTexts.body,
      createdAt: author === 'STAFF' ? test.clock.now() : new Date('2026-08-20T10:00:00.000Z'),
    });
    helpdesk.put(sampleTicket, held, [said('m1', 'CUSTOMER'), said('m2', 'STAFF')]);
    await test.app.sources.syncAll();
    const [reply] = await signalsOf(test, 'staff.reply');
    expect(known(reply)).toMatchObject({ ticket: ids.ticket, customer: ids.customer, staff: expect.stringMatching(/^stf_/) });
    helpdesk.put(sampleTicket, { ...held, status: 'RESOLVED' }, [said('m1', 'CUSTOMER'), said('m2', 'STAFF')]);
    await test.app.sources.syncAll();
    await test.app.sources.syncAll();
    expect((await signalsOf(test, 'ticket.closed')).map(({ ticket }) => ticket)).toEqual([ids.ticket]);
    expect(await signalsOf(test, 'ticket.contact')).toHaveLength(1);
    const all = JSON.stringify(await test.app.database.query('SELECT * FROM risk_signal'));
    const texts = [...Object.values(sampleTexts), 'Zqanswer', 'example.com', 'order-7', 'pay-quill'];
    expect(texts.filter((text) => all.includes(text))).toEqual([]);
  });

  it('is of no payment again once its signals were removed, whatever becomes of its money', async () => {
    const bought = paid('ch_long_ago', { orderReference: 'order-70' });
    const declined = paid('ch_declined_long_ago', {
      status: 'DECLINED',
      declineCode: 'insufficient_funds',
      orderReference: 'order-71',
    });
    await show([bought, declined]);
    const later = test.clock.now().getTime();
    test.clock.forward(95 * 24 * hour);
    await tamper(test.app.database, 'DELETE FROM risk_signal WHERE received_at <= ?', [later]);
    await show([
      { ...bought, status: 'REFUNDED', refunded: bought.amount, captured: bought.amount },
      { ...declined, riskSignals: ['elevated'] },
    ]);
    expect(await signalsOf(test, 'payment.attempt.%', later + 1)).toEqual([]);
  });
});

describe('what the log says of staff’s work', () => {
  let test: TestApp;
  let updates: Updates;
  beforeAll(async () => {
    test = await TestApp.start();
    updates = new Updates(test);
    await settle();
  });
  afterAll(() => test.stop());

  const settle = async () => {
    await test.app.signingLog?.sequencer.turn();
    await test.app.signals.service.readLog();
  };
  const context = 'query($id: ID!) { ticket(id: $id) { subject customer { displayName } } }';
  const own = async (type: string) => (await signalsOf(test, type)).filter(({ source }) => source === 'counterfoil');

  it('is what an agent was shown of a ticket, once within five minutes, and nothing of before signals were', async () => {
    const of = await updates.next();
    await settle();
    const before = (await own('staff.disclosure')).length;
    test.clock.forward(600_000);
    await test.as('ana', context, { id: of.ticketId });
    await test.as('ana', context, { id: of.ticketId });
    await settle();
    const [shown, ...more] = (await own('staff.disclosure')).slice(before);
    expect([known(shown).ticket, known(shown).customer, more.length]).toEqual([of.ticketId, of.customerId, 0]);
    expect(known(shown)).toMatchObject({ staff: expect.stringMatching(/^stf_/), team: 'cards' });
    test.clock.forward(600_000);
    await test.as('ana', context, { id: of.ticketId });
    await settle();
    expect((await own('staff.disclosure')).length).toBe(before + 2);
  });

  it('is no list of tickets: what it shows is under no assistance', async () => {
    await settle();
    const before = (await own('staff.disclosure')).length;
    await test.as('ben', '{ tickets(first: 20) { nodes { subject status } } }');
    await settle();
    expect((await own('staff.disclosure')).length).toBe(before);
  });

  it('is that a change was asked for, and that it was made', async () => {
    const of = await updates.next();
    const { id, token } = await updates.asked(of, of.usual, 'BILLING_ADDRESS');
    await settle();
    const [asked] = await own('staff.update');
    expect(known(asked)).toMatchObject({ event_id: `${id}:asked`, ticket: of.ticketId, customer: of.customerId });
    expect(await own('credential.changed')).toEqual([]);
    await updates.confirm(token, { address: newAddress });
    await updates.drain();
    await settle();
    await settle();
    const [changed, ...more] = await own('credential.changed');
    expect(known(changed)).toMatchObject({ event_id: `${id}:applied`, changed: 'billing-address', card: of.usual.id });
    expect(more).toEqual([]);
  });

  it('is that staff held something or let it go, not what rules hold, nor what its end lets go', async () => {
    const held = new HeldPayments(test);
    const { reference } = demoTickets.own;
    const ticketId = await ticketIdOf(test, reference);
    await held.open('ana', reference);
    await held.byRule(reference);
    const [placed, expired] = [
      await held.placed('ana', reference),
      await held.placed('ana', reference, { effects: ['HOLD_ORDER'] }),
    ];
    await test.as('ana', releaseMutation, { id: placed });
    await held.drain();
    await settle();
    const ids = async () => (await own('staff.hold')).map(({ event_id: id }) => id).sort();
    expect(await ids()).toEqual([`${placed}:placed`, `${placed}:released`, `${expired}:placed`].sort());
    for (const each of await own('staff.hold'))
      expect(known(each)).toMatchObject({
        ticket: ticketId,
        customer: await customerOf(test, reference),
        staff: expect.stringMatching(/^stf_/),
        team: 'cards',
      });
    test.clock.forward(2 * hour);
    await held.sweep();
    await held.drain();
    await settle();
    expect(await held.stored(expired)).toMatch(/^EXPIRED/);
    expect(await ids()).toHaveLength(3);
  });

  it('is that staff had a customer asked about a payment, once, however often they ask', async () => {
    const questions = new Questions(test);
    questions.updates.forgetDenials();
    const paid = await questions.paid();
    const { id } = await questions.asked(paid);
    await questions.ask(paid);
    await settle();
    expect((await own('staff.question')).map(known)).toEqual([
      {
        source: 'counterfoil',
        event_id: `${id}:asked`,
        type: 'staff.question',
        ticket: paid.of.ticketId,
        customer: expect.stringMatching(/^cus_/),
        staff: expect.stringMatching(/^stf_/),
        team: 'cards',
      },
    ]);
  });

  it('is what an agent reported on their ticket, stored with the report and once', async () => {
    const { reference } = demoTickets.own;
    await test.as('ana', 'query($r: String!) { ticketByReference(source: "demo", reference: $r) { assistance { state } } }', {
      r: reference,
    });
    const report = 'mutation($input: ReportConcernInput!) { reportConcern(input: $input) { id } }';
    const input = { ticketId: await ticketIdOf(test, reference), note: 'Zqnote: the caller sounded like somebody else' };
    const { data } = await test.as('ana', report, { input });
    await test.as('ana', report, { input });
    const [concern, ...more] = await own('ticket.concern');
    expect(more).toEqual([]);
    expect(known(concern)).toEqual({
      source: 'counterfoil',
      event_id: `${data.reportConcern.id}:concern`,
      type: 'ticket.concern',
      ticket: input.ticketId,
      customer: await customerOf(test, reference),
    });
    // What is denied tells nothing.
    const others = { ...input, ticketId: await ticketIdOf(test, demoTickets.matched.reference) };
    expect((await test.as('ana', report, { input: others })).errors).toBeDefined();
    expect(await own('ticket.concern')).toHaveLength(1);
  });

  it('is passed over where a leaf is none any more, and what comes after is told', async () => {
    const of = await updates.next();
    await settle();
    test.clock.forward(600_000);
    await test.as('ana', context, { id: of.ticketId });
    await test.app.signingLog?.sequencer.turn();
    await tamper(
      test.app.database,
      `UPDATE audit_event SET leaf = '{}' WHERE action = 'disclosure' AND at = ${test.clock.now().getTime()}`,
    );
    const before = (await own('staff.disclosure')).length;
    await test.app.signals.service.readLog();
    test.clock.forward(600_000);
    await test.as('ana', context, { id: of.ticketId });
    await settle();
    expect((await own('staff.disclosure')).length).toBe(before + 1);
  });

  it('is told once, however many read the log at once, and each has its place in the feed', async () => {
    const of = await updates.next();
    await updates.asked(of, of.usual, 'BILLING_ADDRESS');
    await test.app.signingLog?.sequencer.turn();
    await Promise.allSettled([settle(), settle(), settle()]);
    await settle();
    const ids = (await own('staff.%')).map(({ event_id: id }) => id);
    expect(ids.length).toBe(new Set(ids).size);
    expect(await own('staff.update')).toHaveLength(2);
    await test.app.signals.service.turn();
    const [open] = await test.app.database.query('SELECT COUNT(*) AS n FROM risk_feed_batch');
    expect(Number(open?.n)).toBe(0);
  });
});
