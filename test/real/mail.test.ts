import { RtHelpdesk } from '../../src/upstream/helpdesk/rt/rt.connector';
import { RtPeople, rtConnection } from './rt';

const connection = rtConnection();
const rt = new RtPeople(connection);
const helpdesk = new RtHelpdesk({
  source: 'rt',
  url: connection.url,
  token: rt.person(connection.gateway).token,
  queues: [...connection.queues],
  webhookSecret: connection.webhookSecret,
  windowDays: 30,
  clock: () => new Date(),
});

let number = 0;
const subjectOf = (): string => {
  number += 1;
  return `Mail ${process.pid} ${number}`;
};

/** The one message of a mail as its sender's program wrote it, from its Content-Type on, through RT's own mail gateway. */
const arrived = async (written: readonly string[]) => {
  const blank = written.indexOf('');
  const ticket = await rt.mail('Cards', {
    from: 'Vera Example <vera.mail@customers.example>',
    subject: subjectOf(),
    headers: written.slice(0, blank),
    text: written.slice(blank + 1).join('\n'),
  });
  const snapshot = await helpdesk.fetchTicket(ticket);
  expect(snapshot?.messages).toHaveLength(1);
  expect(snapshot?.ticket.channel).toBe('EMAIL');
  const [message] = snapshot?.messages ?? [];
  return { ticket, body: message?.body, isCut: message?.isCut, attachments: message?.attachments };
};

const png = [
  'Content-Type: image/png; name=a.png',
  'Content-Transfer-Encoding: base64',
  'Content-Disposition: attachment; filename=a.png',
  '',
  'iVBORw0KGgo=',
];
const plain = (...lines: readonly string[]) => ['Content-Type: text/plain; charset=utf-8', '', ...lines];
const html = (...lines: readonly string[]) => ['Content-Type: text/html; charset=utf-8', '', ...lines];
const holding = (type: string, boundary: string, ...parts: readonly (readonly string[])[]) => [
  `Content-Type: ${type}; boundary=${boundary}`,
  '',
  ...parts.flatMap((part) => [`--${boundary}`, ...part]),
  `--${boundary}--`,
];
const charged = '<html><body><p>My card was charged twice, please help.</p></body></html>';
const image = { name: 'a.png', type: 'image/png', size: 8 };

test.each<[string, readonly string[], string, readonly unknown[]]>([
  [
    'whose plain alternative is empty',
    holding('multipart/alternative', 'B1', plain(''), html(charged)),
    'My card was charged twice, please help.',
    [],
  ],
  [
    'with the footer of a list',
    holding('multipart/mixed', 'B1', html(charged), [
      'Content-Type: text/plain; charset=us-ascii',
      'Content-Disposition: inline',
      '',
      '-- ',
      'Sent through the family list.',
    ]),
    'My card was charged twice, please help.\n\n-- \nSent through the family list.',
    [],
  ],
  [
    'whose body has a name',
    holding(
      'multipart/mixed',
      'B1',
      [
        'Content-Type: text/plain; charset=utf-8; name="body.txt"',
        'Content-Disposition: inline; filename="body.txt"',
        '',
        'My card was declined three times.',
      ],
      png,
    ),
    'My card was declined three times.',
    [image],
  ],
  [
    'with another person’s letter attached',
    holding('multipart/mixed', 'B1', plain('Please see the attached mail.'), [
      'Content-Type: message/rfc822; name="old.eml"',
      'Content-Disposition: attachment; filename="old.eml"',
      '',
      'From: Other Person <other@elsewhere.example>',
      'Subject: private',
      'MIME-Version: 1.0',
      ...holding('multipart/mixed', 'B2', plain('This is another person’s letter, attached.'), png),
    ]),
    'Please see the attached mail.',
    [{ name: 'old.eml', type: 'message/rfc822', size: expect.any(Number) }],
  ],
  [
    'of all that mail programs send at once',
    holding(
      'multipart/mixed',
      'B1',
      holding(
        'multipart/alternative',
        'B2',
        plain('View this in a browser.'),
        holding('multipart/related', 'B3', html('<p>K&oslash;benhavn <a href="https://x.example/">here</a></p>'), png),
      ),
      ['Content-Type: text/plain; charset=utf-8; name=log.txt', 'Content-Disposition: attachment; filename=log.txt', '', '12345'],
      plain('Sent from my telephone'),
    ),
    'København here (x.example)\n\nSent from my telephone',
    [image, { name: 'log.txt', type: 'text/plain', size: expect.any(Number) }],
  ],
  ['of a file alone', png, '', [image]],
  ['of nothing', plain(''), '', []],
  ['that is one part in a container', holding('multipart/mixed', 'B1', plain('only this')), 'only this', []],
  ['that turns its direction', plain('pay \u202eevil\u202c a\u200cb'), 'pay evil a\u200cb', []],
])('a mail %s', async (_what, written, body, attachments) => {
  expect(await arrived(written)).toMatchObject({ body, isCut: false, attachments });
});

test('a mail that is too long says so, and where it is; what stands beside it is read', async () => {
  const line = 'x'.repeat(70);
  const { ticket, ...message } = await arrived(
    holding('multipart/mixed', 'B1', plain('Short.'), plain(...Array.from({ length: 16_000 }, () => line))),
  );
  expect(message).toEqual({
    body: `Short.\n\n[This message is longer than what is kept here. Read all of it in ticket ${ticket} at the helpdesk.]`,
    isCut: true,
    attachments: [],
  });
});
