import { policyWith } from '../support/answers';
import { TestApp } from '../support/app';
import { tamper } from '../support/audit-log';
import { shortMessages, Updates } from '../support/credentials';
import { card, helpdeskCustomer, ScriptedHelpdesk, ScriptedPayments } from '../support/scripted-sources';

/** What a version before this one stored: addresses by their domain as it was written, numbers by their digits. */
const former = (test: TestApp, kind: 'email' | 'phone', form: string): string =>
  test.keys.digests.search(kind, form).toString('base64url');

const start = async (mail: string, phone: string) => {
  const helpdesk = new ScriptedHelpdesk('demo');
  const payments = new ScriptedPayments('demo-pay');
  helpdesk.put('1', { customer: helpdeskCustomer('kim', { email: 'kim@bücher.example' }) });
  payments.put('p1', { email: mail, phone }, [card('m1')]);
  const test = await TestApp.start({ connectors: { demo: helpdesk, 'demo-pay': payments } });
  helpdesk.now = test.clock.now;
  payments.now = test.clock.now;
  return { test, helpdesk, payments };
};

const contact = async (test: TestApp) => {
  const [row] = await test.app.database.query<Record<string, unknown>>(
    'SELECT email_digest, email_changed_at, email_seen_since, phone_digest, phone_changed_at, phone_seen_since FROM payment_customer',
  );
  return row as Record<string, unknown>;
};

describe('contacts that were stored in the form of an earlier version', () => {
  it.each([
    ['written as before', '+49 (0)1511 2345678'],
    ['written otherwise', '0049 1511 2345678'],
  ])('count as what they are when their source is read again: unchanged, with the same age (%s)', async (_how, again) => {
    const { test, payments } = await start('kim@xn--bcher-kva.example', '+49 (0)1511 2345678');
    const today = await contact(test);
    const stored = { email: former(test, 'email', 'kim@xn--bcher-kva.example'), phone: former(test, 'phone', '+49015112345678') };
    expect([stored.email, stored.phone]).not.toEqual([today.email_digest, today.phone_digest]);
    await tamper(
      test.app.database,
      `UPDATE payment_customer SET email_digest = '${stored.email}', phone_digest = '${stored.phone}'`,
    );
    test.clock.forward(60 * 60_000);
    payments.put('p1', { email: 'kim@BÜCHER.example', phone: again }, [card('m1')]);
    const [{ id } = { id: '' }] = await test.app.database.query<{ id: string }>('SELECT id FROM helpdesk_customer');
    expect(await test.app.sources.refreshPayments(id)).toBe(true);
    expect(await contact(test)).toEqual(today);
    // What really is another one still counts.
    test.clock.forward(60 * 60_000);
    payments.put('p1', { email: 'kim@bücher.example', phone: '+49 (0)1511 2345679' }, [card('m1')]);
    Reflect.get(Reflect.get(test.app.sources, 'reading'), 'recentlyRefreshed').clear();
    expect(await test.app.sources.refreshPayments(id)).toBe(true);
    const changed = await contact(test);
    expect(changed).toMatchObject({ email_digest: today.email_digest, email_changed_at: null });
    expect(changed.phone_changed_at).not.toBeNull();
    await test.stop();
  });

  it('keep a helpdesk customer’s link, who hasn’t been given another address', async () => {
    const { test, helpdesk } = await start('kim@xn--bcher-kva.example', '+49 1511 2345678');
    const row = async () =>
      (
        await test.app.database.query<Record<string, unknown>>('SELECT email_digest, email_edited, link FROM helpdesk_customer')
      )[0] as Record<string, unknown>;
    const today = await row();
    expect(today.link).toBe('MATCHED');
    await tamper(
      test.app.database,
      `UPDATE helpdesk_customer SET email_digest = '${former(test, 'email', 'kim@xn--bcher-kva.example')}'`,
    );
    test.clock.forward(60 * 60_000);
    helpdesk.put('1', { customer: helpdeskCustomer('kim', { email: 'kim@xn--bcher-kva.example' }) });
    await test.app.sources.syncAll();
    expect(await row()).toEqual(today);
    await test.stop();
  });
});

describe('an update that was asked for before', () => {
  it('is still sent to the address and the number that were judged then', async () => {
    const test = await TestApp.start({
      policy: policyWith(['SET_DEFAULT: { strength: link }', 'SET_DEFAULT: { strength: code }']),
    });
    const updates = new Updates(test);
    const of = await updates.next();
    const { id, token } = await updates.asked(of, of.other, 'SET_DEFAULT');
    const { phone } = test.payments.merchant.paymentCustomer(of.number, 'demo');
    const digits = former(test, 'phone', String(phone).replace(/[^\d+]/g, ''));
    await tamper(test.app.database, `UPDATE credential_update SET phone_digest = '${digits}' WHERE id = '${id}'`);
    expect(await updates.desk.sendCode(token)).toMatchObject({ outcome: 'again', problems: [] });
    expect(await shortMessages(test)).toHaveLength(1);
    await tamper(
      test.app.database,
      `UPDATE credential_update SET phone_digest = '${former(test, 'phone', '+3531')}' WHERE id = '${id}'`,
    );
    expect(await updates.desk.sendCode(token)).toEqual({ outcome: 'dead' });
    await test.stop();
  });
});
