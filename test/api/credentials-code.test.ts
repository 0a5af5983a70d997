import { demoTickets } from '../../src/development/merchant/cast';
import { DeliveryFailed } from '../../src/upstream/delivery/delivery.port';
import type { PaymentCustomerRecord } from '../../src/upstream/payments/payments.port';
import { eventsOf, policyWith, told } from '../support/answers';
import { TestApp } from '../support/app';
import {
  approveUpdate,
  type Case,
  cancelUpdate,
  channelsOf,
  flaws,
  mails,
  newestCode,
  newestToken,
  readUpdate,
  shortMessages,
  Updates,
  writerOf,
} from '../support/credentials';

const minute = 60_000;
const day = 24 * 60 * minute;

let test: TestApp;
let updates: Updates;
let of: Case;
beforeAll(async () => {
  test = await TestApp.start({
    policy: policyWith(
      ['perCustomerPerDay: 5', 'perCustomerPerDay: 500'],
      ['SET_DEFAULT: { strength: link }', 'SET_DEFAULT: { strength: code }'],
    ),
  });
  updates = new Updates(test);
  of = await updates.next();
});
afterEach(async () => {
  const open = await test.app.database.query<{ id: string }>(
    "SELECT id FROM credential_update WHERE open_key IS NOT NULL AND state IN ('REQUESTED', 'AWAITING_CUSTOMER', 'AWAITING_APPROVAL')",
  );
  for (const { id } of open) await test.as('ana', cancelUpdate, { id });
  await updates.drain();
  expect(await flaws(test)).toEqual([]);
});
afterAll(() => test.stop());

/** One for which the policy asks for a code, and nothing else. */
const asked = async () => {
  of = await updates.caseOf(of.reference, of.number);
  return updates.asked(of, of.other, 'SET_DEFAULT');
};
const confirm = async (token: string, code: string) =>
  updates.desk.confirm(token, { shown: (await updates.desk.view(token))?.shown ?? '', code, address: null });
const problem = (field: 'code' | null, message: RegExp) => ({
  outcome: 'again',
  problems: [{ field, message: expect.stringMatching(message) }],
});
/** A code that certainly is another one. */
const wrong = (code: string) => String((Number(code) + 1) % 1_000_000).padStart(6, '0');

describe('a code', () => {
  it('is needed where the policy says so, goes to the telephone that the payment side holds, and is then one of the proofs', async () => {
    const { id, token } = await asked();
    expect((await updates.desk.view(token))?.code).toEqual({ sentTo: null, triesLeft: 5, sendsLeft: 5 });
    expect(await confirm(token, '')).toMatchObject(problem('code', /sent to you first/));
    const sent = await updates.desk.sendCode(token);
    const { phone } = test.payments.merchant.paymentCustomer(of.number, 'demo');
    const [message] = await shortMessages(test);
    expect(message?.to.replace(/\D/g, '')).toBe(phone?.replace(/\D/g, ''));
    expect(sent).toMatchObject({ outcome: 'again', view: { code: { sentTo: expect.any(String), sendsLeft: 4 } }, problems: [] });
    expect(JSON.stringify(sent)).not.toContain(phone);
    expect(await confirm(token, '')).toMatchObject(problem('code', /six digits/));
    const code = await newestCode(test);
    expect((await confirm(token, ` ${code.slice(0, 3)} ${code.slice(3)}`)).outcome).toBe('confirmed');
    const { data } = await test.as('ana', readUpdate, { id });
    expect(data.credentialUpdate.confirmation.proofs).toEqual(['link', 'code']);
  });

  it('that is wrong counts, leaves a denial in the log, and the fifth ends the update and its link', async () => {
    const { id, token } = await asked();
    await updates.desk.sendCode(token);
    const code = await newestCode(test);
    const events = await eventsOf(test, async () => {
      for (const left of [4, 3, 2, 1])
        expect(await confirm(token, wrong(code))).toMatchObject({
          outcome: 'again',
          view: { code: { triesLeft: left } },
          problems: [{ field: 'code' }],
        });
      // What isn't six digits isn't a try.
      expect(await confirm(token, '12345')).toMatchObject(problem('code', /six digits/));
      expect(await confirm(token, wrong(code))).toEqual({ outcome: 'dead' });
    });
    expect(await updates.desk.view(token)).toBeNull();
    expect(await confirm(token, code)).toEqual({ outcome: 'dead' });
    expect((await updates.path(id)).at(-1)).toBe('CANCELLED CODE_TRIES');
    const failures = events.filter(({ action }) => action === 'credential.code-failed');
    // Under a clock that stands still events have no order.
    expect(failures.map(({ outcome, detail }) => [outcome, (detail as { tries: number }).tries]).sort()).toEqual(
      [1, 2, 3, 4, 5].map((tries) => ['DENIED', tries]),
    );
    expect(JSON.stringify(events)).not.toContain(wrong(code));
  });

  it('can’t be tried more often by asking for new ones, nor by trying at the same time', async () => {
    const { id, token } = await asked();
    await updates.desk.sendCode(token);
    const view = await updates.desk.view(token);
    for (let round = 0; round < 4; round += 1) {
      await confirm(token, wrong(await newestCode(test)));
      await updates.desk.sendCode(token);
    }
    const code = await newestCode(test);
    const guesses = Array.from({ length: 12 }, (_, index) => String((Number(code) + 1 + index) % 1_000_000).padStart(6, '0'));
    const answers = await Promise.all(
      guesses.map((guess) => updates.desk.confirm(token, { shown: view?.shown ?? '', code: guess, address: null })),
    );
    expect(new Set(answers.map(({ outcome }) => outcome))).toEqual(new Set(['dead']));
    expect(Number((await updates.row(id)).code_tries)).toBe(5);
    expect((await updates.path(id)).at(-1)).toBe('CANCELLED CODE_TRIES');
  });

  it('is worth nothing after ten minutes, and nothing once a newer one was sent', async () => {
    const { token } = await asked();
    await updates.desk.sendCode(token);
    const first = await newestCode(test);
    test.clock.forward(10 * minute);
    expect(await confirm(token, first)).toMatchObject(problem('code', /expired/));
    await updates.desk.sendCode(token);
    const second = await newestCode(test);
    if (first !== second) expect(await confirm(token, first)).toMatchObject(problem('code', /not the code/));
    expect((await confirm(token, second)).outcome).toBe('confirmed');
  });

  it('is sent five times at most', async () => {
    const { token } = await asked();
    const before = (await shortMessages(test, 1_000)).length;
    for (let count = 0; count < 5; count += 1) expect((await updates.desk.sendCode(token)).outcome).toBe('again');
    expect(await updates.desk.sendCode(token)).toMatchObject(problem(null, /No further code/));
    await Promise.all([1, 2, 3].map(() => updates.desk.sendCode(token)));
    expect((await shortMessages(test, 1_000)).length).toBe(before + 5);
    expect((await confirm(token, await newestCode(test))).outcome).toBe('confirmed');
  });

  it('of another update is worth nothing', async () => {
    const stranger = await updates.next();
    const { token } = await asked();
    await updates.desk.sendCode(token);
    const own = await newestCode(test);
    const { token: other } = await updates.asked(stranger, stranger.other, 'REMOVE');
    await updates.desk.sendCode(other);
    const others = await newestCode(test);
    if (own !== others) expect(await confirm(token, others)).toMatchObject(problem('code', /not the code/));
    expect((await confirm(token, own)).outcome).toBe('confirmed');
  });

  it('that can’t be sent says so and leaves the update as it was', async () => {
    const { id, token } = await asked();
    const { sms } = channelsOf(test);
    const send = sms.send.bind(sms);
    sms.send = async () => {
      throw new DeliveryFailed('sms', 'refused');
    };
    expect(await updates.desk.sendCode(token)).toMatchObject(problem(null, /just now/));
    sms.send = async () => {
      throw new DeliveryFailed('sms', 'rejected');
    };
    expect(await updates.desk.sendCode(token)).toMatchObject(problem(null, /Contact us/));
    sms.send = send;
    expect(await updates.state(id)).toBe('AWAITING_CUSTOMER');
    expect(await confirm(token, '000000')).toMatchObject(problem('code', /sent to you first/));
  });

  it('is sent to nobody where none is asked for', async () => {
    const { token } = await updates.asked(of, of.usual, 'BILLING_ADDRESS');
    const before = (await shortMessages(test, 1_000)).length;
    expect(await updates.desk.sendCode(token)).toMatchObject({ outcome: 'again', problems: [] });
    expect((await shortMessages(test, 1_000)).length).toBe(before);
  });
});

describe('contact data', () => {
  it('that changed between the request and the link ends the update, and nothing is sent', async () => {
    const person = await updates.next();
    const before = (await mails(test, 1_000)).length;
    const { data } = await updates.request(person, person.usual, 'BILLING_ADDRESS');
    const { id } = data.requestCredentialUpdate;
    await updates.changeCustomer(person, { email: 'thief@people.example.com' });
    await updates.drain();
    expect(await updates.path(id)).toEqual(['REQUESTED', 'FAILED CONTACT_CHANGED']);
    expect((await mails(test, 1_000)).length).toBe(before);
    expect((await test.as('ana', readUpdate, { id })).data.credentialUpdate.failure).toBe('CONTACT_CHANGED');
  });

  it('that changed between the request and the code ends the update, and no code is sent', async () => {
    const person = await updates.next();
    const { id, token } = await updates.asked(person, person.other, 'REMOVE');
    const before = (await shortMessages(test, 1_000)).length;
    await updates.changeCustomer(person, { phone: '+353 20 9155503' });
    expect(await updates.desk.sendCode(token)).toEqual({ outcome: 'dead' });
    expect((await updates.path(id)).at(-1)).toBe('FAILED CONTACT_CHANGED');
    expect((await shortMessages(test, 1_000)).length).toBe(before);
    expect((await test.as('ana', readUpdate, { id })).data.credentialUpdate.failure).toBe('CONTACT_CHANGED');
  });
});

describe('an update is high-risk', () => {
  const risksOf = async (person: Case, method = person.usual, kind: 'BILLING_ADDRESS' | 'REMOVE' = 'BILLING_ADDRESS') => {
    let answer: Awaited<ReturnType<Updates['request']>> | undefined;
    const events = await eventsOf(test, async () => {
      answer = await updates.request(person, method, kind);
    });
    expect(answer?.errors).toBeUndefined();
    const { id, riskRules, needsCode, needsApproval } = answer?.data.requestCredentialUpdate ?? {};
    const event = events.find(({ action }) => action === 'credential.request') as {
      detail: { rules: string[]; needs: string[] };
    };
    expect(event.detail.rules).toEqual(riskRules);
    expect(event.detail.needs).toEqual([...(needsCode ? ['code'] : []), ...(needsApproval ? ['approval'] : [])]);
    await test.as('ana', cancelUpdate, { id });
    return { riskRules, needsCode, needsApproval };
  };
  const daysAgo = (days: number) => new Date(test.clock.now().getTime() - days * day);

  it.each<[string, readonly string[], () => Partial<PaymentCustomerRecord>]>([
    ['where the address changed lately', ['contact-changed'], () => ({ emailChangedAt: daysAgo(3) })],
    ['where the telephone that gets the code changed lately', [], () => ({ phoneChangedAt: daysAgo(3) })],
    [
      'where the address is a member of staff’s',
      ['contact-changed', 'contact-is-staff'],
      () => ({ email: 'chloe@staff.example.com' }),
    ],
  ])('%s: %j', async (_, rules, changes) => {
    const person = await updates.next();
    await updates.changeCustomer(person, changes());
    expect(await risksOf(person)).toEqual({
      riskRules: rules,
      needsCode: rules.length > 0,
      needsApproval: rules.length > 0,
    });
  });

  it('where the telephone changed lately, once a code goes there', async () => {
    const person = await updates.next();
    await updates.changeCustomer(person, { phoneChangedAt: daysAgo(3) });
    expect((await risksOf(person, person.other, 'REMOVE')).riskRules).toEqual(['contact-changed']);
  });

  it('where nobody knows how old the address is, until it was seen unchanged for the window', async () => {
    const person = await updates.next();
    await updates.changeCustomer(person, { emailChangedAt: null });
    await writerOf(test).query(
      'UPDATE payment_customer SET email_changed_at = NULL WHERE id = (SELECT payment_customer_id FROM helpdesk_customer WHERE id = ?)',
      [person.customerId],
    );
    expect((await risksOf(person)).riskRules).toEqual(['contact-age-unknown']);
    test.clock.forward(14 * day);
    await test.app.sources.syncAll();
    await updates.assist(person.ticketId);
    expect((await risksOf(person)).riskRules).toEqual([]);
  });

  it('for as long as the window says after a change, and not a moment longer', async () => {
    const person = await updates.next();
    await updates.changeCustomer(person, { emailChangedAt: daysAgo(14), phoneChangedAt: daysAgo(14) });
    expect((await risksOf(person)).riskRules).toEqual([]);
    const other = await updates.next();
    await updates.changeCustomer(other, { emailChangedAt: new Date(daysAgo(14).getTime() + 1_000) });
    expect((await risksOf(other)).riskRules).toEqual(['contact-changed']);
    test.clock.forward(1_000);
    expect((await risksOf(other)).riskRules).toEqual([]);
  });

  it('by the rules of the file, each with its name', async () => {
    const person = await updates.next({ subscribed: false });
    expect(await risksOf(person, person.usual, 'REMOVE')).toEqual({
      riskRules: ['removes-default'],
      needsCode: true,
      needsApproval: true,
    });
    const disputed = await updates.caseOf(demoTickets.suspicious.reference, demoTickets.suspicious.customer as number);
    expect((await risksOf(disputed)).riskRules).toEqual(expect.arrayContaining(['recent-dispute']));
  });

  it('on a MATCHED link, whose update is applied after code and approval only', async () => {
    const person = await updates.caseOf(demoTickets.matched.reference, demoTickets.matched.customer as number);
    const answer = await updates.request(person, person.usual, 'BILLING_ADDRESS');
    const { id, riskRules } = answer.data.requestCredentialUpdate;
    expect(riskRules).toEqual(['matched-link']);
    await updates.drain();
    const token = await newestToken(test);
    expect(await updates.confirm(token)).toMatchObject({ outcome: 'confirmed', waitsForApproval: true });
    await updates.drain();
    expect(updates.executions(id)).toEqual([]);
    expect(told(await test.as('sam', approveUpdate, { id })).errors).toEqual([]);
    await updates.drain();
    expect(await updates.path(id)).toEqual(['REQUESTED', 'AWAITING_CUSTOMER', 'AWAITING_APPROVAL', 'APPLYING', 'APPLIED']);
    expect(updates.executions(id)).toEqual(['SET_ADDRESS']);
  });
});
