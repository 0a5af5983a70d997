import { rowsWithoutEvent } from '../../src/cli/rows-without-event';
import { demoTickets } from '../../src/development/merchant/cast';
import { helpdeskReferenceOf } from '../../src/development/merchant/merchant';
import { DeliveryFailed } from '../../src/upstream/delivery/delivery.port';
import { countOf, eventsOf, told } from '../support/answers';
import { TestApp } from '../support/app';
import { channelsOf, erase, mails, newestToken, wholeDatabase, writerOf } from '../support/credentials';
import { subjectsOf } from '../support/holds';
import { askCustomer, Questions } from '../support/recognitions';

const hour = 3_600_000;

let test: TestApp;
let questions: Questions;
beforeAll(async () => {
  test = await TestApp.start({ environment: { DEMO_SIZE: '0.04' } });
  questions = new Questions(test);
});
beforeEach(() => questions.updates.forgetDenials());
afterEach(async () => expect((await rowsWithoutEvent(test.app.database)).findings).toEqual([]));
afterAll(() => test.stop());

const notesAbout = (id: string): string[] => test.helpdesk.notes.filter(({ text }) => text.includes(id)).map(({ text }) => text);
const post = async (token: string, form: Record<string, string>) =>
  test.server.inject({
    method: 'POST',
    url: `/confirm/${token}`,
    headers: { 'content-type': 'application/x-www-form-urlencoded', 'sec-fetch-site': 'same-origin' },
    payload: new URLSearchParams(form).toString(),
  });
const actions = (events: readonly Record<string, unknown>[]) => events.map(({ action }) => action);

describe('a customer who is asked about a pending payment', () => {
  it('is asked where the payment side has them, and what they say is theirs alone', async () => {
    const paid = await questions.paid('AUTHORIZED', {}, 'Two concert tickets');
    const events = await eventsOf(test, async () => {
      const answer = told(await questions.ask(paid));
      expect(answer).toEqual({
        data: {
          askCustomer: {
            id: expect.stringMatching(/^rcg_/),
            state: 'ASKED',
            askedAt: test.clock.now().toISOString(),
            expiresAt: new Date(test.clock.now().getTime() + 24 * hour).toISOString(),
            answeredAt: null,
            ticket: { id: paid.of.ticketId },
            transaction: { id: paid.transactionId, status: 'AUTHORIZED' },
            hold: null,
            confirmation: null,
          },
        },
        errors: [],
      });
    });
    const asked = events.find(({ action }) => action === 'recognition.ask');
    const [assistance] = await test.app.database.query<{ id: string }>('SELECT id FROM assistance WHERE ticket_id = ?', [
      paid.of.ticketId,
    ]);
    expect(asked).toMatchObject({
      ticket: paid.of.ticketId,
      assistance: assistance?.id,
      detail: { transaction: paid.transactionId, restsOn: [paid.of.ticketId, assistance?.id] },
    });
    await questions.drain();

    const [mail] = await mails(test);
    const holder = (await test.payments.fetchCustomer(paid.of.payer, new Date(0)))?.customer;
    expect(mail?.to).toBe(holder?.email);
    expect(`${mail?.subject} ${mail?.text}`).not.toMatch(/123[.,]?45|concert|••••/);

    const token = await newestToken(test);
    const before = await wholeDatabase(test);
    const { statusCode, body, headers } = await test.server.inject({ url: `/confirm/${token}` });
    expect(await wholeDatabase(test)).toEqual(before);
    expect(statusCode).toBe(200);
    expect(body).toContain('<h1>Was this payment you?</h1>');
    for (const shown of ['123.45', 'Two concert tickets', `•••• ${paid.of.usual.last4}`, 'Demo Shop', paid.of.reference])
      expect(body).toContain(shown);
    expect(headers).toMatchObject({ 'cache-control': 'no-store', 'referrer-policy': 'no-referrer', 'x-frame-options': 'DENY' });
    expect(body).not.toMatch(/<script/i);

    const answered = await eventsOf(test, async () => expect((await questions.yes(token)).outcome).toBe('confirmed'));
    expect(answered).toEqual([
      expect.objectContaining({
        action: 'recognition.answer',
        actor: expect.objectContaining({ kind: 'customer' }),
        detail: { answer: 'RECOGNIZED', channel: 'MAIL', proofs: ['link'], shown: expect.any(String), hold: null },
      }),
    ]);
    expect(told(await questions.of(paid.of)).data.ticket.recognitions).toEqual([
      expect.objectContaining({
        state: 'RECOGNIZED',
        answeredAt: test.clock.now().toISOString(),
        confirmation: { outcome: 'CONFIRMED', channel: 'MAIL', proofs: ['link'], at: test.clock.now().toISOString() },
      }),
    ]);
    await questions.drain();
    const id = String((asked as { subject: { id: string } }).subject.id);
    expect(notesAbout(id)).toEqual([
      expect.stringContaining('asked whether they made it'),
      expect.stringContaining('says that they made it'),
    ]);
    expect(notesAbout(id).join()).not.toMatch(new RegExp(`${token}|confirm/|123[.,]?45|concert|••••`));
  });

  it('and says no has the payment held in the same change', async () => {
    const paid = await questions.paid('AUTHORIZED');
    const { id, token } = await questions.asked(paid);
    const events = await eventsOf(test, async () => expect((await questions.no(token)).outcome).toBe('refused'));
    events.sort((a, b) => Number(a.ordinal) - Number(b.ordinal));
    const { hold_id: holdId } = await questions.row(id);
    expect(events.map(({ action, actor, tx, subject, detail }) => ({ action, actor, tx, subject, detail }))).toEqual([
      expect.objectContaining({
        action: 'hold.place',
        actor: expect.objectContaining({ kind: 'customer' }),
        subject: { type: 'Hold', id: holdId },
        detail: expect.objectContaining({
          cause: 'CUSTOMER',
          transaction: paid.transactionId,
          effects: expect.arrayContaining(['DEFER_CAPTURE', 'HOLD_ORDER', 'BLOCK_NEW']),
          until: new Date(test.clock.now().getTime() + 24 * hour).toISOString(),
          restsOn: [id, paid.of.ticketId],
        }),
      }),
      expect.objectContaining({
        action: 'recognition.answer',
        tx: events[0]?.tx,
        detail: expect.objectContaining({ answer: 'DISOWNED', hold: holdId }),
      }),
    ]);
    const standing = await test.app.services.holds.standing(test.app.database, {
      ...(await subjectsOf(test, [paid.of.customerId])),
      transactionIds: [paid.transactionId],
    });
    expect(standing.map((hold) => hold.id)).toEqual([holdId]);
    expect(told(await questions.of(paid.of)).data.ticket.recognitions).toEqual([
      expect.objectContaining({
        state: 'DISOWNED',
        hold: {
          id: holdId,
          state: 'PLACING',
          cause: 'CUSTOMER',
          effects: expect.arrayContaining([{ kind: 'DEFER_CAPTURE' }, { kind: 'HOLD_ORDER' }, { kind: 'BLOCK_NEW' }]),
        },
        confirmation: expect.objectContaining({ outcome: 'REFUSED', channel: 'MAIL' }),
      }),
    ]);
    await questions.drain();
    expect(notesAbout(id).at(-1)).toContain('did not make it; it is held for a while');
  });

  it('says no on a ticket that is about somebody else by then, which hears nothing of it', async () => {
    const paid = await questions.paid();
    const { id, token } = await questions.asked(paid);
    const before = notesAbout(id);
    await questions.no(token);
    test.helpdesk.setCustomer(paid.of.reference, helpdeskReferenceOf(20), null);
    await test.app.sources.syncAll();
    const events = await eventsOf(test, () => questions.drain());
    expect(notesAbout(id)).toEqual(before);
    expect(events.find(({ action }) => action === 'recognition.note-dropped')).toMatchObject({
      subject: { type: 'Recognition', id },
      detail: { given_up: 'OUTCOME' },
    });
    expect((await questions.row(id)).hold_id).not.toBeNull();
  });

  it('answers once: afterwards the link is dead, and the same question is what it was', async () => {
    const paid = await questions.paid('PENDING');
    const { id, token } = await questions.asked(paid);
    const shown = await questions.shown(token);
    expect((await questions.yes(token)).outcome).toBe('confirmed');
    const before = await wholeDatabase(test);
    expect(await questions.desk.view(token)).toBeNull();
    expect((await questions.desk.refuse(token, shown, true)).outcome).toBe('dead');
    expect(await wholeDatabase(test)).toEqual(before);
    expect(told(await questions.ask(paid)).data.askCustomer).toMatchObject({ id, state: 'RECOGNIZED' });
  });

  it('who says yes and no at once has said one of them', async () => {
    const paid = await questions.paid();
    const { id, token } = await questions.asked(paid);
    const shown = await questions.shown(token);
    const events = await eventsOf(test, async () => {
      const answers = await Promise.all([
        ...[1, 2].map(() => questions.desk.confirm(token, { shown, code: '', address: null, agreed: true })),
        ...[1, 2].map(() => questions.desk.refuse(token, shown, true)),
      ]);
      expect(answers.filter(({ outcome }) => outcome !== 'dead')).toHaveLength(1);
    });
    const answered = events.filter(({ action }) => action === 'recognition.answer');
    expect(answered).toHaveLength(1);
    const { state, hold_id: holdId } = await questions.row(id);
    expect(answered.map(({ detail }) => (detail as { answer: string }).answer)).toEqual([state]);
    expect(actions(events).filter((action) => action === 'hold.place')).toHaveLength(holdId === null ? 0 : 1);
  });

  it('is not answered for by whoever opens links and presses buttons, nor by a form of another page', async () => {
    const paid = await questions.paid();
    const { id, token } = await questions.asked(paid);
    const shown = await questions.shown(token);
    for (const answer of ['confirm', 'refuse']) {
      expect((await post(token, { answer, shown })).statusCode).toBe(422);
      expect((await post(token, { answer, shown: 'f'.repeat(64), agreed: 'yes' })).statusCode).toBe(422);
    }
    expect((await post(token, { answer: 'send-code', shown })).statusCode).toBe(200);
    expect(await questions.row(id)).toMatchObject({ state: 'ASKED', answered_at: null });
    const body = (await post(token, { answer: 'confirm', shown })).body;
    expect(body).toContain('Tick the box if you looked at this payment yourself');
    const { statusCode, body: thanks } = await post(token, { answer: 'confirm', shown, agreed: 'yes' });
    expect([statusCode, thanks.includes('you said that this payment is yours')]).toEqual([200, true]);
  });

  it('can’t answer an update by the link of a question, nor a question by that of an update', async () => {
    const paid = await questions.paid();
    const question = await questions.asked(paid);
    const update = await questions.updates.asked(paid.of, paid.of.usual, 'BILLING_ADDRESS');
    expect(await questions.updates.desk.view(question.token)).toBeNull();
    expect((await questions.desk.view(update.token))?.kind).toBe('BILLING_ADDRESS');
    expect((await questions.desk.view(question.token))?.kind).toBe('PAYMENT');
    expect((await questions.yes(question.token)).outcome).toBe('confirmed');
    expect(await questions.updates.state(update.id)).toBe('AWAITING_CUSTOMER');
  });

  it('who doesn’t answer in time is asked no more, and may be asked anew', async () => {
    const paid = await questions.paid();
    const { id, token } = await questions.asked(paid);
    test.clock.forward(24 * hour);
    expect(await questions.desk.view(token)).toBeNull();
    const events = await eventsOf(test, () => test.app.services.recognitions.expire());
    expect(actions(events.filter(({ subject }) => (subject as { id: string }).id === id))).toEqual(['recognition.expire']);
    await questions.drain();
    expect(notesAbout(id).at(-1)).toContain('nobody answered in time');
    await questions.updates.assist(paid.of.ticketId);
    const again = told(await questions.ask(paid));
    expect([again.errors, again.data.askCustomer.id === id]).toEqual([[], false]);
    expect(await questions.row(id)).toMatchObject({ state: 'EXPIRED' });
  });

  it('and was erased meanwhile has a dead link, and the question still ends', async () => {
    const paid = await questions.paid();
    const { id, token } = await questions.asked(paid);
    await erase(test, paid.of.customerId);
    expect(await questions.desk.view(token)).toBeNull();
    test.clock.forward(24 * hour);
    await test.app.services.recognitions.expire();
    expect(await questions.row(id)).toMatchObject({ state: 'EXPIRED' });
  });
});

describe('the question', () => {
  it('is one, however often and by however many it is asked', async () => {
    const paid = await questions.paid();
    const [one, two] = await Promise.all([questions.ask(paid), questions.ask(paid)]);
    const three = await questions.ask(paid);
    const ids = [one, two, three].map((answer) => told(answer).data.askCustomer.id);
    expect(new Set(ids).size).toBe(1);
    const sent = (await mails(test, 1_000)).length;
    await questions.drain();
    expect((await mails(test, 1_000)).length).toBe(sent + 1);
    expect(await countOf(test, 'recognition', 'transaction_id = ?', paid.transactionId)).toBe(1);
  });

  it.each(['CAPTURED', 'DECLINED', 'CANCELLED', 'REFUNDED'] as const)('is not asked of a payment that is %s', async (status) => {
    const paid = await questions.paid(status);
    expect(told(await questions.ask(paid))).toEqual({ data: null, errors: [['askCustomer', 'CONFLICT']] });
    expect(await countOf(test, 'recognition', 'transaction_id = ?', paid.transactionId)).toBe(0);
  });

  it('is not asked of somebody else’s payment, nor of none', async () => {
    const [paid, other] = [await questions.paid(), await questions.paid()];
    for (const transactionId of [other.transactionId, 'txn_absent'])
      expect(told(await questions.ask({ of: paid.of, transactionId }))).toEqual({
        data: null,
        errors: [['askCustomer', 'NOT_FOUND']],
      });
  });

  it('is not asked of more payments a day than the policy says', async () => {
    const first = await questions.paid();
    const more = [await questions.payment(first.of), await questions.payment(first.of), await questions.payment(first.of)];
    for (const paid of [first, ...more.slice(0, 2)]) expect(told(await questions.ask(paid)).errors).toEqual([]);
    const last = more[2] as (typeof more)[number];
    const events = await eventsOf(test, async () =>
      expect(told(await questions.ask(last)).errors).toEqual([['askCustomer', 'DENIED', 'QUOTA']]),
    );
    expect(actions(events)).toEqual(['denial']);
    // What is there already is no new question.
    expect(told(await questions.ask(first)).errors).toEqual([]);
    test.clock.forward(24 * hour + 1);
    await questions.updates.assist(last.of.ticketId);
    expect(told(await questions.ask(last)).errors).toEqual([]);
  });

  it('is not asked without a second factor, without an assistance, or by who made the customer theirs', async () => {
    const paid = await questions.paid();
    const denied = async (who: Parameters<TestApp['as']>[0], reason: string) => {
      questions.updates.forgetDenials();
      const events = await eventsOf(test, async () =>
        expect(told(await questions.ask(paid, who)).errors).toEqual([['askCustomer', 'DENIED', reason]]),
      );
      expect(actions(events).filter((action) => action === 'denial')).toHaveLength(1);
      expect(await countOf(test, 'recognition', 'transaction_id = ?', paid.transactionId)).toBe(0);
    };
    await denied({ token: await test.token('ana', { mfa: false }) }, 'MFA_REQUIRED');
    await denied('sam', 'NO_ASSISTANCE');
    const [ana] = await test.app.database.query<{ id: string }>('SELECT assignee_id AS id FROM helpdesk_ticket WHERE id = ?', [
      paid.of.ticketId,
    ]);
    await writerOf(test).query('UPDATE helpdesk_ticket SET customer_set_by_ids = ? WHERE id = ?', [
      JSON.stringify([ana?.id]),
      paid.of.ticketId,
    ]);
    await denied('ana', 'SELF_MADE');
  });

  it('is not asked on a ticket of another team', async () => {
    const paid = await questions.paid();
    expect(told(await questions.ask(paid, 'ben'))).toEqual({ data: null, errors: [['askCustomer', 'NOT_FOUND']] });
  });

  it('is not asked of whom the payment side doesn’t name: it would tell of a payment', async () => {
    const matched = await questions.updates.open(demoTickets.matched.reference, 2);
    const paid = await questions.payment(matched);
    expect(told(await questions.ask(paid)).errors).toEqual([['askCustomer', 'DENIED', 'LINK']]);
  });

  it('is not asked where the address is a colleague’s, changed lately, or isn’t known for long', async () => {
    const paid = await questions.paid();
    const columns = 'email_changed_at, email_seen_since, email_digest, email_sealed';
    const payerId = 'SELECT payment_customer_id FROM helpdesk_customer WHERE id = ?';
    const [before] = await test.app.database.query<Record<string, unknown>>(
      `SELECT id, ${columns} FROM payment_customer WHERE id = (${payerId})`,
      [paid.of.customerId],
    );
    const put = (changedAt: unknown, seenSince: unknown) =>
      writerOf(test).query('UPDATE payment_customer SET email_changed_at = ?, email_seen_since = ? WHERE id = ?', [
        changedAt,
        seenSince,
        before?.id,
      ]);
    const now = test.clock.now().getTime();
    for (const [changedAt, seenSince] of [
      [now - 13 * 24 * hour, now - 13 * 24 * hour],
      [null, now],
    ]) {
      await put(changedAt, seenSince);
      expect(told(await questions.ask(paid)).errors).toEqual([['askCustomer', 'DENIED', 'CONTACT']]);
    }
    await put(null, now - 14 * 24 * hour);
    const staff = test.keys.searchDigest(
      'staff',
      (await test.payments.fetchCustomer(paid.of.payer, new Date(0)))?.customer.email ?? '',
    );
    const [ben] = await test.app.database.query<{ id: string; email_digest: string }>(
      'SELECT id, email_digest FROM helpdesk_staff ORDER BY id LIMIT 1',
    );
    await writerOf(test).query('UPDATE helpdesk_staff SET email_digest = ? WHERE id = ?', [staff, ben?.id]);
    expect(told(await questions.ask(paid)).errors).toEqual([['askCustomer', 'DENIED', 'CONTACT']]);
    await writerOf(test).query('UPDATE helpdesk_staff SET email_digest = ? WHERE id = ?', [ben?.email_digest, ben?.id]);
    expect(told(await questions.ask(paid)).errors).toEqual([]);
  });

  it('goes to no address that somebody put there meanwhile', async () => {
    const paid = await questions.paid();
    await questions.drain();
    const { data } = await questions.ask(paid);
    await questions.updates.changeCustomer(paid.of, { email: 'thief@people.example.com' });
    const sent = (await mails(test, 1_000)).length;
    await questions.drain();
    expect((await mails(test, 1_000)).length).toBe(sent);
    expect(await questions.row(data.askCustomer.id)).toMatchObject({ state: 'FAILED', failure: 'CONTACT_CHANGED' });
    expect(notesAbout(data.askCustomer.id)).toEqual([expect.stringContaining('contact data changed')]);
  });

  it('is sent again while the mail server can’t be reached, then given up', async () => {
    const paid = await questions.paid();
    const { mail } = channelsOf(test);
    const send = mail.send.bind(mail);
    let tries = 0;
    mail.send = async () => {
      tries += 1;
      throw new DeliveryFailed('mail', 'unreachable');
    };
    const { data } = await questions.ask(paid);
    const { id } = data.askCustomer;
    for (let minutes = 0; minutes < 120 && (await questions.row(id)).state === 'ASKED'; minutes += 1) {
      await questions.drain();
      test.clock.forward(60_000);
    }
    mail.send = send;
    expect([tries, (await questions.row(id)).failure]).toEqual([11, 'UNDELIVERABLE']);
    expect(await countOf(test, 'recognition_link', 'recognition_id = ?', id)).toBe(11);
    await questions.updates.assist(paid.of.ticketId);
    expect(told(await questions.ask(paid)).data.askCustomer.state).toBe('ASKED');
  });

  it('tells of its payment under an assistance on its ticket alone', async () => {
    const paid = await questions.paid();
    const { id } = await questions.asked(paid);
    const bySam = told(
      await test.as(
        'sam',
        'query ($id: ID!) { ticket(id: $id) { recognitions { id state transaction { id } hold { id } confirmation { proofs } } } }',
        { id: paid.of.ticketId },
      ),
    );
    expect(bySam.data.ticket.recognitions).toEqual([{ id, state: 'ASKED', transaction: null, hold: null, confirmation: null }]);
    expect([...bySam.errors].sort()).toEqual(
      ['hold', 'transaction'].map((field) => [`ticket.recognitions.0.${field}`, 'DENIED', 'NO_ASSISTANCE']),
    );
    const byAda = told(await test.as('ada', askCustomer, { ticketId: paid.of.ticketId, transactionId: paid.transactionId }));
    expect(byAda).toEqual({ data: null, errors: [['', 'DENIED', 'ROLE']] });
  });

  it('and its answer can’t be written past the log', async () => {
    const paid = await questions.paid();
    const { id } = await questions.asked(paid);
    await writerOf(test).query("UPDATE recognition SET state = 'RECOGNIZED', answered_at = asked_at WHERE id = ?", [id]);
    const { findings } = await rowsWithoutEvent(test.app.database);
    expect(findings.join()).toContain(id);
    await writerOf(test).query("UPDATE recognition SET state = 'ASKED', answered_at = NULL WHERE id = ?", [id]);
  });
});
