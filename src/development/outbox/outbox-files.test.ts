import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import PostalMime from 'postal-mime';
import { DeliveryFailed } from '../../upstream/delivery/delivery.port';
import { OutboxMail, OutboxShortMessages, readOutbox } from './outbox-files';

let folder: string;
beforeEach(() => {
  folder = join(mkdtempSync(join(tmpdir(), 'counterfoil-outbox-')), 'mail');
});
afterEach(() => rmSync(join(folder, '..'), { recursive: true }));

const noon = new Date('2026-09-01T12:00:00.000Z');
const clock = () => noon;
const mail = {
  to: 'kim@customers.example',
  subject: 'Please confirm',
  text: 'Open this:\nhttps://x.example/',
  html: '<p>Open</p>',
};
const sms = { to: '+49 151 2345678', text: 'Your code is 4242' };

describe('the outbox of development', () => {
  it('holds one file a message, which only its owner reads and a mail program opens', async () => {
    await new OutboxMail(folder, clock).send(mail);
    await new OutboxShortMessages(folder, clock).send(sms);
    const names = readdirSync(folder).sort();
    expect(names).toEqual([expect.stringMatching(/^20260901T120000000Z-.*-mail\.eml$/), expect.stringMatching(/-sms\.txt$/)]);
    for (const name of names) expect(statSync(join(folder, name)).mode & 0o777).toBe(0o600);
    expect(statSync(folder).mode & 0o777).toBe(0o700);
    const email = await PostalMime.parse(readFileSync(join(folder, names[0] as string)));
    expect(email).toMatchObject({ subject: mail.subject, to: [{ address: mail.to }], date: noon.toISOString() });
    expect(email.text?.trimEnd()).toBe(mail.text);
  });

  it('gives back what was sent, newest first', async () => {
    const times = [noon, noon, new Date('2026-09-01T11:59:59.999Z'), new Date('2027-01-01T00:00:00.000Z')];
    for (const [index, at] of times.entries()) await new OutboxMail(folder, () => at).send({ ...mail, subject: `mail ${index}` });
    await new OutboxShortMessages(folder, clock).send(sms);
    const messages = await readOutbox(folder, 10);
    expect(messages.map(({ subject, at }) => [subject, at.toISOString()])).toEqual([
      ['mail 3', '2027-01-01T00:00:00.000Z'],
      [null, '2026-09-01T12:00:00.000Z'],
      ['mail 1', '2026-09-01T12:00:00.000Z'],
      ['mail 0', '2026-09-01T12:00:00.000Z'],
      ['mail 2', '2026-09-01T11:59:59.999Z'],
    ]);
    expect(messages[1]).toEqual({ kind: 'sms', at: noon, subject: null, ...sms });
    expect(messages[2]).toEqual({ kind: 'mail', at: noon, to: mail.to, subject: 'mail 1', text: mail.text });
    expect(await readOutbox(folder, 2)).toEqual(messages.slice(0, 2));
  });

  it.each(['', '\n', '\n\nTo: x', 'Subject: other\n\nb', 'a\r\nb', '<script>', '\u0000\u001b[31m', 'ü 🎟️', 'last line\n'])(
    'gives back the text %j as it was',
    async (text) => {
      await new OutboxMail(folder, clock).send({ ...mail, text });
      await new OutboxShortMessages(folder, clock).send({ ...sms, text });
      expect((await readOutbox(folder, 2)).map((message) => message.text)).toEqual([text, text]);
    },
  );

  it.each(['\n', '\r\n', '\n\n', '\r', '\u2028'])('keeps a subject with %j on its line', async (end) => {
    await new OutboxMail(folder, clock).send({ ...mail, subject: `Confirm${end}To: mallory@evil.example${end}x` });
    expect(await readOutbox(folder, 1)).toEqual([
      { kind: 'mail', at: noon, to: mail.to, subject: 'Confirm To: mallory@evil.example x', text: mail.text },
    ]);
  });

  it('rejects the recipients that would be rejected in production', async () => {
    for (const to of ['kim@customers.example, mallory@evil.example', 'Kim <kim@customers.example>', '../../x'])
      await expect(new OutboxMail(folder, clock).send({ ...mail, to })).rejects.toEqual(new DeliveryFailed('mail', 'rejected'));
    for (const to of ['+49151234567,+15550100', 'kim'])
      await expect(new OutboxShortMessages(folder, clock).send({ ...sms, to })).rejects.toEqual(
        new DeliveryFailed('sms', 'rejected'),
      );
    expect(await readOutbox(folder, 10)).toEqual([]);
  });

  it('that can’t be written is a fault that names nothing', async () => {
    writeFileSync(folder, '');
    const failed = (await new OutboxMail(folder, clock).send(mail).catch((error: unknown) => error)) as DeliveryFailed;
    expect(failed).toEqual(new DeliveryFailed('mail', 'fault'));
    expect([failed.why, failed.message.includes(folder), failed.cause]).toEqual(['fault', false, undefined]);
  });

  it('passes over what is not a message: other names, folders, links, half a file', async () => {
    await new OutboxShortMessages(folder, clock).send(sms);
    const name = (random: string) => `20270101T000000000Z-000001-${random}-mail.eml`;
    writeFileSync(join(folder, 'notes.txt'), 'To: x\n\nnotes');
    writeFileSync(join(folder, `.${name('00000001')}.part`), 'To: x\n\nhalf');
    writeFileSync(join(folder, name('0000000z')), 'To: x\n\nno such name');
    mkdirSync(join(folder, name('00000002')));
    symlinkSync('/etc/hostname', join(folder, name('00000003')));
    symlinkSync('/nowhere', join(folder, name('00000004')));
    writeFileSync(join(folder, name('00000005').replace('20270101', '20279999')), 'To: x\n\nno such day');
    expect(await readOutbox(folder, 20)).toMatchObject([{ kind: 'sms', text: sms.text }]);
  });

  it('reads a file of any content, and no more than 64 KiB of it', async () => {
    mkdirSync(folder, { recursive: true });
    const contents = ['', 'no headers at all', Buffer.from([0xff, 0xfe, 0x00]), `To: x\n\n${'x'.repeat(1_000_000)}`];
    contents.forEach((content, index) => {
      writeFileSync(join(folder, `20270101T000000000Z-00000${index}-00000000-mail.eml`), content);
    });
    const messages = await readOutbox(folder, 10);
    expect(messages.map(({ to, text }) => [to, text.length])).toEqual([
      ['x', 64 * 1024 - 'To: x\n\n'.length],
      ['', 0],
      ['', 0],
      ['', 0],
    ]);
  });

  it('is empty where there is no folder yet', async () => {
    expect(await readOutbox(folder, 5)).toEqual([]);
  });
});
