import { DeliveryFailed, type Mail } from '../../upstream/delivery/delivery.port';
import { LinkMails, linkMail } from './link-mails';

const expiresAt = new Date('2026-09-02T08:30:00Z');
const about = {
  merchant: 'Demo\u202eShop',
  subject: 'Demo Shop: please answer',
  before: ['Was <this> you? See it, and say yes or no:'],
  otherwise: 'If you don’t know of it, say no.',
  expiresAt,
};

/** What happened, in its order. */
const sending = async (send: (mail: Mail) => Promise<void>, isWanted = true) => {
  const happened: string[] = [];
  const tokens: string[] = [];
  const mails = new LinkMails({ mail: { send } as never }, () => 'https://gateway.example.com');
  const outcome = await mails
    .send({
      prepare: async (token) => {
        happened.push('prepared');
        tokens.push(token);
        return isWanted ? { to: 'ana@example.com', expiresAt, mail: (url) => linkMail({ ...about, url }) } : null;
      },
      sent: async (link) => void happened.push(`sent, until ${link.expiresAt.toISOString()}`),
      undeliverable: async () => void happened.push('undeliverable'),
    })
    .catch((error: Error) => error.name);
  return { happened, tokens, outcome };
};

describe('a link', () => {
  it('is written down before its mail leaves, and counts as sent afterwards', async () => {
    const mails: Mail[] = [];
    const { happened, tokens } = await sending(async (mail) => void mails.push(mail));
    expect(happened).toEqual(['prepared', 'sent, until 2026-09-02T08:30:00.000Z']);
    const [token = ''] = tokens;
    expect(token).toMatch(/^[A-Za-z0-9_-]{43}$/);
    expect(mails.map(({ to, text }) => [to, text.includes(`\n\nhttps://gateway.example.com/confirm/${token}\n\n`)])).toEqual([
      ['ana@example.com', true],
    ]);
  });

  it('has a token of its own at each sending', async () => {
    const [one, other] = await Promise.all([sending(async () => {}), sending(async () => {})]);
    expect(one.tokens).not.toEqual(other.tokens);
  });

  it('isn’t sent where none is wanted any more', async () => {
    const mails: Mail[] = [];
    expect((await sending(async (mail) => void mails.push(mail), false)).happened).toEqual(['prepared']);
    expect(mails).toEqual([]);
  });

  it.each<[string, DeliveryFailed['why'], string[], unknown]>([
    ['that nobody takes now is tried again', 'timeout', ['prepared'], 'DeliveryFailed'],
    ['that our account may not send just now is tried again', 'refused', ['prepared'], 'DeliveryFailed'],
    ['that nobody will ever take is undeliverable', 'rejected', ['prepared', 'undeliverable'], undefined],
  ])('%s', async (_, why, happened, outcome) => {
    const failing = async () => {
      throw new DeliveryFailed('mail', why);
    };
    expect(await sending(failing)).toMatchObject({ happened, outcome });
  });
});

describe('the mail of a link', () => {
  it('says until when it works, and what is never asked for; texts of others are texts', () => {
    const mail = linkMail({ ...about, url: 'https://gateway.example.com/confirm/x' });
    expect(mail.text).toBe(
      [
        'Was <this> you? See it, and say yes or no:',
        '',
        'https://gateway.example.com/confirm/x',
        '',
        'The link works once, until 2026-09-02 08:30 UTC.',
        'If you don’t know of it, say no.',
        'Demo Shop never asks for a card number, a security code or a password by mail or telephone. Don’t forward this mail: whoever has the link can answer for you.',
      ].join('\n'),
    );
    expect(mail.html).toContain('<p>Was &lt;this&gt; you? See it, and say yes or no:</p>');
  });
});
