import { helpdeskReferenceOf } from '../../src/development/merchant/merchant';
import type { Mail } from '../../src/upstream/delivery/delivery.port';
import { DeliveryFailed } from '../../src/upstream/delivery/delivery.port';
import { countOf, policyWith, told } from '../support/answers';
import { TestApp } from '../support/app';
import {
  type Case,
  cancelUpdate,
  channelsOf,
  flaws,
  mails,
  newestCode,
  newestToken,
  readUpdate,
  transitionsAndEvents,
  Updates,
  writerOf,
} from '../support/credentials';

const minute = 60_000;
const hour = 60 * minute;

let test: TestApp;
let updates: Updates;
let of: Case;
const merchant = 'Zq <b>Shop</b>\r\nBcc: thief@people.example.com';
beforeAll(async () => {
  test = await TestApp.start({
    policy: policyWith(['perCustomerPerDay: 5', 'perCustomerPerDay: 500']),
    config: { merchant: { name: merchant, supportUrl: null } },
  });
  updates = new Updates(test);
  of = await updates.next();
});
afterEach(async () => {
  const open = await test.app.database.query<{ id: string }>(
    "SELECT id FROM credential_update WHERE open_key IS NOT NULL AND state IN ('REQUESTED', 'AWAITING_CUSTOMER')",
  );
  for (const { id } of open) await test.as('ana', cancelUpdate, { id });
  await updates.drain();
  expect(await flaws(test)).toEqual([]);
  const { transitions, events } = await transitionsAndEvents(test);
  expect(events).toEqual(transitions);
});
afterAll(() => test.stop());

/** Mail fails from now on, until the returned function is called. Every try is noted, with when it was made. */
const failMail = (why: DeliveryFailed['why']) => {
  const { mail } = channelsOf(test);
  const send = mail.send.bind(mail);
  const tries: { at: number; mail: Mail }[] = [];
  mail.send = async (message) => {
    tries.push({ at: test.clock.now().getTime(), mail: message });
    throw new DeliveryFailed('mail', why);
  };
  return {
    tries,
    restore: () => {
      mail.send = send;
    },
  };
};
const request = async (): Promise<string> => {
  const { data } = await updates.request(of, of.usual, 'BILLING_ADDRESS');
  return data.requestCredentialUpdate.id as string;
};
const failureOf = async (id: string) => {
  const { data } = await test.as('ana', readUpdate, { id });
  return [data.credentialUpdate.state, data.credentialUpdate.failure];
};
const notesOf = (id: string) => test.helpdesk.notes.filter(({ text }) => text.includes(id)).map(({ text }) => text);

describe('the link', () => {
  it('is sent again with growing pauses while the mail server can’t be reached, each time with a token of its own, then given up', async () => {
    const { tries, restore } = failMail('refused');
    const id = await request();
    for (let seconds = 0; seconds < 3 * 3_600 && (await updates.state(id)) === 'REQUESTED'; seconds += 1) {
      await updates.drain();
      const [job] = await test.app.database.query<{ next_at: number }>(
        "SELECT next_at FROM credential_job WHERE update_id = ? AND kind = 'LINK'",
        [id],
      );
      test.clock.forward(Math.max(1, Number(job?.next_at) - test.clock.now().getTime()));
    }
    restore();
    expect(await updates.path(id)).toEqual(['REQUESTED', 'FAILED UNDELIVERABLE']);
    expect(await failureOf(id)).toEqual(['FAILED', 'UNDELIVERABLE']);
    expect(tries).toHaveLength(11);
    const pauses = tries.slice(1).map(({ at }, index) => at - (tries[index]?.at ?? 0));
    pauses.forEach((pause, index) => {
      expect([index, pause >= 800 * 2 ** (index + 1), pause <= 1_200 * 2 ** (index + 1)]).toEqual([index, true, true]);
    });
    const tokens = tries.map(({ mail }) => /\/confirm\/(\S+)/.exec(mail.text)?.[1] ?? '');
    expect(new Set(tokens).size).toBe(tries.length);
    for (const token of tokens) expect(await updates.desk.view(token)).toBeNull();
    expect(await countOf(test, 'credential_job', "update_id = ? AND kind = 'LINK' AND state = 'DEAD'", id)).toBe(1);
    await updates.drain();
    expect(notesOf(id)).toEqual([expect.stringContaining('the link could not be delivered')]);
  });

  it('arrives once the mail server is back, and works', async () => {
    const { restore } = failMail('timeout');
    const id = await request();
    await updates.wait(2 * minute, 10_000);
    expect(await updates.state(id)).toBe('REQUESTED');
    restore();
    await updates.wait(10 * minute);
    expect(await updates.state(id)).toBe('AWAITING_CUSTOMER');
    expect((await updates.confirm(await newestToken(test))).outcome).toBe('confirmed');
  });

  it('to an address that the server rejects ends the update at once', async () => {
    const { tries, restore } = failMail('rejected');
    const id = await request();
    await updates.drain();
    restore();
    expect(tries).toHaveLength(1);
    expect(await updates.path(id)).toEqual(['REQUESTED', 'FAILED UNDELIVERABLE']);
  });

  it('is not sent for an update that was called off before', async () => {
    const { tries, restore } = failMail('refused');
    const id = await request();
    await updates.drain();
    await test.as('ana', cancelUpdate, { id });
    await updates.wait(10 * minute);
    restore();
    expect(tries).toHaveLength(1);
  });

  it('lives as long as the policy says from when it was sent, not from when it was asked for', async () => {
    const { restore } = failMail('refused');
    const id = await request();
    await updates.wait(20 * minute);
    restore();
    await updates.wait(20 * minute);
    const row = await updates.row(id);
    const [link] = await test.app.database.query<{ created_at: number; expires_at: number }>(
      'SELECT created_at, expires_at FROM credential_link WHERE update_id = ? ORDER BY created_at DESC',
      [id],
    );
    expect(Number(link?.created_at)).toBeGreaterThan(Number(row.created_at));
    expect(Number(link?.expires_at) - Number(link?.created_at)).toBe(24 * hour);
    expect(Number(row.expires_at)).toBe(Number(link?.expires_at));
  });
});

describe('the mail', () => {
  it('holds the link, who asks and until when; nothing of the payment method, of the reason or of who asked', async () => {
    const { token } = await updates.asked(of, of.usual, 'BILLING_ADDRESS');
    const [mail] = await mails(test);
    expect(mail?.text).toContain(`/confirm/${token}`);
    expect(mail?.text).toContain(of.reference);
    const view = await updates.desk.view(token);
    for (const secret of [of.usual.last4 ?? '', view?.reason ?? '', view?.askedBy ?? '', '••••', of.payer, of.ticketId])
      expect(`${mail?.subject}\n${mail?.text.replace(token, '')}`).not.toContain(secret);
  });

  it('stays one mail to one person with one subject, whatever merchant and ticket are called; its page says it as text', async () => {
    const hostile = 'Zq1\r\nBcc: thief@people.example.com\r\n\r\n<img src=x onerror=alert(1)>\u2028"&';
    await writerOf(test).query('UPDATE helpdesk_ticket SET reference = ? WHERE id = ?', [hostile, of.ticketId]);
    const sent: Mail[] = [];
    const { mail } = channelsOf(test);
    const send = mail.send.bind(mail);
    mail.send = async (message) => {
      sent.push(message);
      await send(message);
    };
    // The ticket has another name by now, under which the helpdesk doesn't know it: only what is sent is looked at.
    const row = await request().catch(() => null);
    await updates.drain();
    mail.send = send;
    await writerOf(test).query('UPDATE helpdesk_ticket SET reference = ? WHERE id = ?', [of.reference, of.ticketId]);
    expect(row).not.toBeNull();
    expect(sent).toHaveLength(1);
    const [message] = sent as [Mail];
    // biome-ignore lint/suspicious/noControlCharactersInRegex: that there are none is the point
    expect(message.subject).not.toMatch(/[\u0000-\u001f\u2028\u2029]/);
    expect(message.subject).toContain('Zq <b>Shop</b> Bcc: thief@people.example.com');
    expect(message.to).not.toMatch(/thief/);
    expect(message.html).not.toMatch(/<img|<b>|onerror=alert\(1\)>/);
    expect(message.html).toContain('Zq &lt;b&gt;Shop&lt;/b&gt;');
    expect(message.text.split('\n').filter((line) => line.startsWith('Bcc:'))).toEqual([]);
    const [file] = await mails(test);
    expect(file?.to).toBe(message.to);
    await test.app.sources.syncAll();
  });
});

describe('the ticket', () => {
  it('hears once that the customer was asked and once what became of it, without link, code or number', async () => {
    const { id, token } = await updates.asked(of, of.other, 'REMOVE');
    expect((await updates.confirm(token)).outcome).toBe('confirmed');
    const code = await newestCode(test);
    await updates.drain();
    const notes = notesOf(id);
    expect(notes).toEqual([expect.stringContaining('was asked to confirm'), expect.stringMatching(/: done\./)]);
    const { email, phone } = test.payments.merchant.paymentCustomer(of.number, 'demo');
    for (const secret of [token, code, '/confirm', email ?? '', phone ?? '', of.payer, of.other.reference])
      expect(notes.join('\n')).not.toContain(secret);
    of = await updates.next();
  });

  it.each<[string, RegExp, (id: string, token: string) => Promise<unknown>]>([
    ['the customer said no', /the customer said no/, (_, token) => updates.desk.refuse(token, '')],
    ['it was called off', /it was called off/, (id) => test.as('ana', cancelUpdate, { id })],
    [
      'the provider refused, and nothing was changed',
      /failed: the card has expired\. Nothing was changed/,
      async (_, token) => {
        updates.provider.refuse('CARD_EXPIRED');
        await updates.confirm(token);
      },
    ],
    [
      'nobody answered',
      /nobody answered in time/,
      async () => {
        test.clock.forward(24 * hour);
        await test.app.services.credentialExpiry.run();
      },
    ],
  ])('hears that %s', async (_, text, finish) => {
    await updates.assist(of.ticketId);
    const { id, token } = await updates.asked(of, of.usual, 'BILLING_ADDRESS');
    await finish(id, token);
    await updates.drain();
    expect(notesOf(id)).toEqual([expect.any(String), expect.stringMatching(text)]);
    await updates.assist(of.ticketId);
  });

  it('that can’t be written to doesn’t hold the update up, and what it lacks is in the log', async () => {
    const { id, token } = await updates.asked(of, of.usual, 'BILLING_ADDRESS');
    const before = notesOf(id).length;
    test.helpdesk.goDown();
    expect((await updates.confirm(token)).outcome).toBe('confirmed');
    await updates.drain();
    expect(await updates.state(id)).toBe('APPLIED');
    await updates.wait(2 * hour, 5 * minute);
    test.helpdesk.comeBack();
    expect(await updates.path(id)).toEqual(['REQUESTED', 'AWAITING_CUSTOMER', 'APPLYING', 'APPLIED']);
    expect(notesOf(id)).toHaveLength(before);
    expect((await test.events('credential.note-dropped')).at(-1)).toMatchObject({
      outcome: 'DENIED',
      subject: { type: 'CredentialUpdate', id },
      detail: { given_up: 'OUTCOME' },
    });
    await updates.assist(of.ticketId);
  });

  it('hears nothing of it once it is about somebody else', async () => {
    const { id, token } = await updates.asked(of, of.usual, 'BILLING_ADDRESS');
    const before = notesOf(id);
    expect((await updates.desk.refuse(token, '')).outcome).toBe('refused');
    test.helpdesk.setCustomer(of.reference, helpdeskReferenceOf(20), null);
    await test.app.sources.syncAll();
    await updates.drain();
    expect(notesOf(id)).toEqual(before);
    expect((await test.events('credential.note-dropped')).at(-1)).toMatchObject({
      subject: { type: 'CredentialUpdate', id },
      detail: { given_up: 'OUTCOME' },
    });
    test.helpdesk.setCustomer(of.reference, helpdeskReferenceOf(of.number), null);
    await test.app.sources.syncAll();
    await updates.assist(of.ticketId);
  });

  it('of a helpdesk that takes no notes is left alone', async () => {
    const { helpdesk } = test;
    const addNote = helpdesk.addNote.bind(helpdesk);
    Reflect.set(helpdesk, 'addNote', undefined);
    const { id, token } = await updates.asked(of, of.usual, 'BILLING_ADDRESS');
    await updates.confirm(token);
    await updates.drain();
    Reflect.set(helpdesk, 'addNote', addNote);
    expect(await updates.state(id)).toBe('APPLIED');
    expect(await countOf(test, 'credential_job', "update_id = ? AND state <> 'DONE'", id)).toBe(0);
    expect(told(await test.as('ana', readUpdate, { id })).errors).toEqual([]);
  });
});
