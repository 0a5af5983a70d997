import { execFileSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { createServer } from 'node:http';
import type { TicketBatch, TicketSnapshot, WebhookRequest } from '../../src/upstream/helpdesk/helpdesk.port';
import { RtHelpdesk, type RtHelpdeskOptions } from '../../src/upstream/helpdesk/rt/rt.connector';
import { RtPeople, rtConnection } from './rt';

const connection = rtConnection();
const rt = new RtPeople(connection);
const [ana, ben, cem, root, billing] = ['ana', 'ben', 'cem', 'root', 'billing'].map((name) => rt.person(name).id) as [
  string,
  string,
  string,
  string,
  string,
];

const connector = (options: Partial<RtHelpdeskOptions> = {}): RtHelpdesk =>
  new RtHelpdesk({
    source: 'rt',
    url: connection.url,
    token: rt.person(connection.gateway).token,
    queues: [...connection.queues],
    webhookSecret: connection.webhookSecret,
    customerField: { name: connection.customerField, writers: ['billing'] },
    windowDays: 30,
    clock: () => new Date(),
    ...options,
  });

const helpdesk = connector();

const fetched = async (reference: string, by: RtHelpdesk = helpdesk): Promise<TicketSnapshot> => {
  const snapshot = await by.fetchTicket(reference);
  if (snapshot === null) throw new Error('the ticket is not there');
  return snapshot;
};

const run = async (batches: AsyncIterable<TicketBatch>): Promise<{ tickets: TicketSnapshot[]; cursor: string }> => {
  const tickets: TicketSnapshot[] = [];
  let last: TicketBatch | null = null;
  for await (const batch of batches) {
    tickets.push(...batch.tickets);
    last = batch;
  }
  if (last === null || !last.complete) throw new Error('the run did not reach the end');
  return { tickets, cursor: last.cursor };
};

const references = ({ tickets }: { tickets: TicketSnapshot[] }): string[] => tickets.map(({ ticket }) => ticket.reference);

/** Where polling stands now: nothing that happened before comes again. */
const caughtUp = async (): Promise<string> =>
  (await run(helpdesk.poll((await run(helpdesk.backfill(new Date(0), null))).cursor))).cursor;

let number = 0;
const customer = (name: string): { from: string; address: string } => {
  number += 1;
  const address = `${name.toLowerCase()}.${number}@customers.example`;
  return { from: `${name} Example <${address}>`, address };
};

const written = async (name = 'Vera') => {
  const { from, address } = customer(name);
  const ticket = await rt.mail('Cards', {
    from,
    subject: `A question of ${name} ${number}`,
    text: 'My card was declined.\nWhy?',
  });
  return { ticket, address, from };
};

test('a ticket written by mail is its requestor’s, and no staff member named them', async () => {
  const { ticket, address } = await written();
  const snapshot = await fetched(ticket);
  expect(snapshot.ticket).toEqual({
    reference: ticket,
    revision: expect.any(Number),
    subject: expect.stringContaining('A question of Vera'),
    status: 'NEW',
    channel: 'EMAIL',
    team: 'Cards',
    assignee: null,
    assignedBy: null,
    teamSetBy: null,
    createdByStaff: null,
    customerSetBy: [],
    customer: {
      reference: expect.stringMatching(/^\d+$/),
      displayName: 'Vera Example',
      email: address,
      phone: null,
      region: null,
      protectedPaymentReference: null,
    },
    createdAt: expect.any(Date),
    updatedAt: expect.any(Date),
  });
  expect(snapshot.messages).toEqual([
    {
      reference: expect.stringMatching(/^\d+$/),
      author: { kind: 'CUSTOMER', displayName: 'Vera Example' },
      isByCustomer: true,
      channel: 'EMAIL',
      body: 'My card was declined.\nWhy?',
      isCut: false,
      attachments: [],
      createdAt: expect.any(Date),
    },
  ]);
  expect(snapshot.staff).toEqual([]);
});

test('a ticket that an agent opens in a victim’s name tells so', async () => {
  const { address } = await written('Victim');
  const ticket = await rt.create('ana', { Queue: 'Cards', Subject: 'Made up', Requestor: address, Content: 'x', Owner: 'ben' });
  const { ticket: record, staff, messages } = await fetched(ticket);
  expect(record).toMatchObject({ createdByStaff: ana, customerSetBy: [ana], assignee: ben, assignedBy: ana, channel: 'API' });
  expect(record.customer?.email).toBe(address);
  expect(messages[0]?.author).toEqual({ kind: 'STAFF', reference: ana });
  expect(staff.map(({ reference, login, email, active }) => [reference, login, email, active]).sort()).toEqual(
    [
      [ana, 'ana', 'ana@rt.example', true],
      [ben, 'ben', 'ben@rt.example', true],
    ].sort(),
  );
});

test('taking, stealing, giving and giving back are seen with who did them, by reading and by polling', async () => {
  const { ticket } = await written();
  let cursor = await caughtUp();
  const changes: [string, () => Promise<unknown>, string | null, string | null][] = [
    ['take', () => rt.as('ana', 'PUT', `/ticket/${ticket}/take`), ana, ana],
    ['steal', () => rt.as('ben', 'PUT', `/ticket/${ticket}/steal`), ben, ben],
    ['give', () => rt.change('ben', ticket, { Owner: 'cem' }), cem, ben],
    ['give back', () => rt.as('cem', 'PUT', `/ticket/${ticket}/untake`), null, null],
  ];
  let revision = (await fetched(ticket)).ticket.revision;
  for (const [what, change, assignee, assignedBy] of changes) {
    await change();
    const seen = await run(helpdesk.poll(cursor));
    expect([what, references(seen)]).toEqual([what, [ticket]]);
    expect(seen.tickets[0]?.ticket).toMatchObject({ assignee, assignedBy, customerSetBy: [], createdByStaff: null });
    expect(seen.tickets[0]?.ticket.revision).toBeGreaterThan(revision);
    revision = seen.tickets[0]?.ticket.revision ?? 0;
    cursor = seen.cursor;
  }
  expect(references(await run(helpdesk.poll(cursor)))).toEqual([]);
});

test('an agent who makes a victim the requestor is named, also after another agent undoes it', async () => {
  const { ticket, address } = await written('Otto');
  const victim = await written('Victim');
  const cursor = await caughtUp();
  await rt.change('ana', ticket, { Requestor: [victim.address] });
  const seen = await run(helpdesk.poll(cursor));
  expect(seen.tickets.map(({ ticket: { customer: named, customerSetBy } }) => [named?.email, customerSetBy])).toEqual([
    [victim.address, [ana]],
  ]);
  await rt.change('ben', ticket, { Requestor: [address] });
  const undone = await fetched(ticket);
  expect(undone.ticket.customer?.email).toBe(address);
  expect([...undone.ticket.customerSetBy].sort()).toEqual([ana, ben].sort());
});

test('an agent who adds a second requestor is named, though the customer stays', async () => {
  const { ticket, address } = await written('Otto');
  const victim = await written('Victim');
  await rt.change('ana', ticket, { Requestor: [address, victim.address] });
  const { ticket: record } = await fetched(ticket);
  expect([record.customer?.email, record.customerSetBy]).toEqual([address, [ana]]);
});

test('merging a victim’s ticket into another names the agent, and the merged number answers with nothing of the other', async () => {
  const { ticket } = await written('Otto');
  const victim = await written('Victim');
  const cursor = await caughtUp();
  await rt.change('ana', victim.ticket, { MergeInto: Number(ticket) });
  const seen = await run(helpdesk.poll(cursor));
  expect(references(seen).sort()).toEqual([ticket, victim.ticket].sort());
  const target = await fetched(ticket);
  expect(target.ticket.customerSetBy).toEqual([ana]);
  expect(target.messages).toHaveLength(2);
  const merged = await fetched(victim.ticket);
  expect(merged).toMatchObject({
    ticket: { reference: victim.ticket, status: 'CLOSED', customer: null, assignee: null, subject: null },
    messages: [],
    staff: [],
  });
  // the other ticket goes on: the merged number stays as it was
  await rt.as('ana', 'PUT', `/ticket/${ticket}/take`);
  expect((await fetched(victim.ticket)).ticket.revision).toBe(merged.ticket.revision);
});

test('closing, stalling, reopening, rejecting and deleting are seen', async () => {
  const { ticket } = await written();
  let cursor = await caughtUp();
  for (const [status, meaning] of [
    ['stalled', 'PENDING'],
    ['open', 'OPEN'],
    ['resolved', 'RESOLVED'],
    ['rejected', 'CLOSED'],
    ['deleted', 'CLOSED'],
  ]) {
    await rt.change('ana', ticket, { Status: status });
    const seen = await run(helpdesk.poll(cursor));
    expect(seen.tickets.map(({ ticket: record }) => [record.reference, record.status])).toEqual([[ticket, meaning]]);
    cursor = seen.cursor;
  }
});

test('a ticket moved out of the served queues is closed for us, and one that never was in them is not there', async () => {
  const cardsOnly = connector({ queues: ['Cards'] });
  const { ticket } = await written();
  await rt.change('ana', ticket, { Queue: 'Wallets' });
  expect((await fetched(ticket)).ticket).toMatchObject({ team: 'Wallets', teamSetBy: rt.person('ana').id });
  expect(await cardsOnly.fetchTicket(ticket)).toMatchObject({ ticket: { status: 'CLOSED', customer: null }, messages: [] });
  const { from } = customer('Wanda');
  const other = await rt.mail('Wallets', { from, subject: 'For the other team', text: 'x' });
  expect(await cardsOnly.fetchTicket(other)).toBeNull();
});

test('absent, hidden and malformed numbers are null', async () => {
  const { ticket } = await written();
  const blind = connector({ token: rt.person('billing').token });
  expect([
    await helpdesk.fetchTicket('99999999'),
    await blind.fetchTicket(ticket),
    await helpdesk.fetchTicket(`0${ticket}`),
    await helpdesk.fetchTicket(`${ticket} OR id > 0`),
    await helpdesk.fetchTicket('1/../../user/14'),
  ]).toEqual([null, null, null, null, null]);
});

test('answers come with their authors; comments, which are private, do not', async () => {
  const { ticket, from } = await written();
  await rt.as('ben', 'POST', `/ticket/${ticket}/correspond`, {
    Content: '<p>Dear <b>Vera</b>,</p><p>4242<i>4242</i> &amp; more</p><script>alert(1)</script>',
    ContentType: 'text/html',
  });
  await rt.as('ben', 'POST', `/ticket/${ticket}/comment`, { Content: 'between us', ContentType: 'text/plain' });
  await rt.mail('Cards', {
    from,
    subject: `[rt.example #${ticket}] again`,
    text: '--b\nContent-Type: text/plain; charset=utf-8\n\nthe pläin part\n--b\nContent-Type: text/html; charset=utf-8\n\n<p>the HTML part</p>\n--b\nContent-Type: text/plain\nContent-Disposition: attachment; filename="a.txt"\n\na file\n--b--',
    headers: ['Content-Type: multipart/mixed; boundary=b', 'X-RT-Interface: Web'],
  });
  const { messages } = await fetched(ticket);
  expect(messages.map(({ author, channel, body }) => [author, channel, body])).toEqual([
    [{ kind: 'CUSTOMER', displayName: 'Vera Example' }, 'EMAIL', 'My card was declined.\nWhy?'],
    [{ kind: 'STAFF', reference: ben }, 'API', 'Dear Vera,\n\n42424242 & more'],
    [{ kind: 'CUSTOMER', displayName: 'Vera Example' }, 'EMAIL', 'the pläin part\n\nthe HTML part'],
  ]);
  expect(messages.map(({ isByCustomer }) => isByCustomer)).toEqual([true, false, true]);
});

test('staff who write in are no customers', async () => {
  const ticket = await rt.mail('Cards', { from: 'Ana <ana@rt.example>', subject: 'My own', text: 'x' });
  expect((await fetched(ticket)).ticket).toMatchObject({ customer: null, createdByStaff: ana, customerSetBy: [ana] });
});

describe('the link to the payment customer', () => {
  test('the field counts as protected, and its value comes, when billing wrote it', async () => {
    expect(await helpdesk.checkLinkField?.()).toMatchObject({ isProtected: true });
    const { ticket, address } = await written();
    const cursor = await caughtUp();
    await rt.as('billing', 'PUT', `/user/${address}`, { CustomFields: { 'Payment Customer': 'cus_vera' } });
    const { ticket: record } = await fetched(ticket);
    expect(record.customer?.protectedPaymentReference).toBe('cus_vera');
    expect(record.customerSetBy).toEqual([billing]);
    expect(references(await run(helpdesk.poll(cursor)))).toEqual([ticket]);
  });

  test('the ticket field that agents write never leads anywhere', async () => {
    const { ticket } = await written();
    await rt.change('ana', ticket, { CustomFields: { 'Customer Reference': 'cus_victim' } });
    expect((await fetched(ticket)).ticket.customer?.protectedPaymentReference).toBeNull();
    const misled = connector({ customerField: { name: 'Customer Reference', writers: ['billing'] } });
    expect(await misled.checkLinkField?.()).toMatchObject({ isProtected: false });
    expect((await fetched(ticket, misled)).ticket.customer?.protectedPaymentReference).toBeNull();
  });

  test('agents can’t write the user field, and where somebody else did its value no longer counts', async () => {
    const { ticket, address } = await written();
    await rt.as('billing', 'PUT', `/user/${address}`, { CustomFields: { 'Payment Customer': 'cus_vera' } });
    await rt.as('ana', 'PUT', `/user/${address}`, { CustomFields: { 'Payment Customer': 'cus_victim' } });
    expect((await fetched(ticket)).ticket.customer?.protectedPaymentReference).toBe('cus_vera');
    // whoever has the right all the same: RT's history says that it wasn't billing
    await rt.as('root', 'PUT', `/user/${address}`, { CustomFields: { 'Payment Customer': 'cus_victim' } });
    const { ticket: record } = await fetched(ticket);
    expect(record.customer?.protectedPaymentReference).toBeNull();
    expect(record.customerSetBy).toContain(root);
  });

  test.each([
    ['no writer is named', { name: connection.customerField, writers: [] }],
    ['a writer does not exist', { name: connection.customerField, writers: ['billing', 'nobody-here'] }],
    ['there is no such field', { name: 'Payment  Customer', writers: ['billing'] }],
  ])('the field is not protected when %s', async (_, customerField) => {
    const { ticket, address } = await written();
    await rt.as('billing', 'PUT', `/user/${address}`, { CustomFields: { 'Payment Customer': 'cus_vera' } });
    const doubtful = connector({ customerField });
    expect(await doubtful.checkLinkField?.()).toEqual({ isProtected: false, why: expect.any(String) });
    expect((await fetched(ticket, doubtful)).ticket.customer?.protectedPaymentReference).toBeNull();
  });

  test('the field is not protected when one of its writers works as an agent', async () => {
    const { ticket } = await written();
    await rt.as('cem', 'POST', `/ticket/${ticket}/correspond`, { Content: 'I help', ContentType: 'text/plain' });
    expect(
      await connector({ customerField: { name: connection.customerField, writers: ['cem'] } }).checkLinkField?.(),
    ).toMatchObject({
      isProtected: false,
    });
    await rt.as('sam', 'PUT', `/ticket/${ticket}/take`);
    expect(
      await connector({ customerField: { name: connection.customerField, writers: ['sam'] } }).checkLinkField?.(),
    ).toMatchObject({
      isProtected: false,
    });
  });

  test('without a configured field there is nothing to check', () => {
    const { customerField: _, ...options } = {
      source: 'rt',
      url: connection.url,
      token: 'x',
      windowDays: 30,
      clock: () => new Date(),
      customerField: undefined,
    };
    expect(new RtHelpdesk(options).checkLinkField).toBeUndefined();
  });
});

test('who edits a customer’s address is named, and the poll brings the customer’s tickets', async () => {
  const { ticket, address } = await written();
  const victim = await written('Victim');
  const cursor = await caughtUp();
  await rt.as('root', 'PUT', `/user/${address}`, { EmailAddress: `moved.${address}` });
  const seen = await run(helpdesk.poll(cursor));
  expect(references(seen)).toEqual([ticket]);
  expect(seen.tickets[0]?.ticket.customer?.email).toBe(`moved.${address}`);
  expect(seen.tickets[0]?.ticket.customerSetBy).toEqual([root]);
  expect((await fetched(victim.ticket)).ticket.customerSetBy).toEqual([]);
});

test('an account that may not read histories gets no address and no link', async () => {
  const { ticket, address } = await written();
  await rt.as('billing', 'PUT', `/user/${address}`, { CustomFields: { 'Payment Customer': 'cus_vera' } });
  // agents see tickets, but not the histories of users
  const { ticket: record } = await fetched(ticket, connector({ token: rt.person('ana').token }));
  expect(record.customer).toMatchObject({ displayName: 'Vera Example', email: null, protectedPaymentReference: null });
});

test('a backfill brings every ticket of the window once, resumes where it stopped, and hands over to polling', async () => {
  const whole = await run(helpdesk.backfill(new Date(Date.now() - 86_400_000), null));
  expect(new Set(references(whole)).size).toBe(whole.tickets.length);
  expect(whole.tickets.length).toBeGreaterThan(20);

  let resumed: TicketBatch | undefined;
  for await (const batch of helpdesk.backfill(new Date(Date.now() - 86_400_000), null)) {
    resumed = batch;
    break;
  }
  expect(resumed?.total).toBe(whole.tickets.length);
  const rest = await run(helpdesk.backfill(new Date(Date.now() - 86_400_000), resumed?.cursor ?? ''));
  expect([...(resumed?.tickets ?? []).map(({ ticket }) => ticket.reference), ...references(rest)].sort()).toEqual(
    references(whole).sort(),
  );

  const { ticket } = await written();
  expect(references(await run(helpdesk.poll(rest.cursor)))).toContain(ticket);
  expect(references(await run(helpdesk.backfill(new Date(Date.now() + 86_400_000 * 3), null)))).toEqual([]);
});

test('a wrong token and a wrong address are told apart, and neither is repeated', async () => {
  await expect(helpdesk.ping()).resolves.toBeUndefined();
  await expect(connector({ token: '1-1-none' }).ping()).rejects.toMatchObject({ why: 'unauthorized', status: 401 });
  await expect(connector({ token: '1-1-none' }).fetchTicket('1')).rejects.toMatchObject({ why: 'unauthorized' });
  const nowhere = connector({ url: 'http://127.0.0.1:1', resilience: { retries: 0 } });
  await expect(nowhere.ping()).rejects.toMatchObject({ why: 'refused', message: 'source rt: refused' });
});

test('RT’s own webhook is a hint that verifies, and only as it was sent', async () => {
  const received: WebhookRequest[] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const headers = Object.fromEntries(Object.entries(request.headers).map(([name, value]) => [name, String(value)]));
      received.push({ headers, body: Buffer.concat(chunks), now: new Date() });
      response.end();
    });
  });
  const { port } = new URL(connection.webhookUrl ?? '');
  await new Promise<void>((resolve) => server.listen(Number(port), '127.0.0.1', resolve));
  try {
    const { ticket } = await written();
    const sent = received[0];
    if (sent === undefined) throw new Error('RT sent no webhook');
    expect(helpdesk.judgeWebhook(sent)).toEqual({
      outcome: 'hint',
      eventId: expect.stringMatching(new RegExp(`^ticket:${ticket}:\\d+-\\d+$`)),
      type: 'ticket.changed',
      at: expect.any(Date),
      references: [ticket],
    });
    expect(helpdesk.judgeWebhook({ ...sent, body: Buffer.from(sent.body.toString().replace(ticket, '1')) }).outcome).toBe(
      'rejected',
    );
    expect(helpdesk.judgeWebhook({ ...sent, now: new Date(Date.now() + 301_000) }).outcome).toBe('rejected');
    expect(connector({ webhookSecret: 'another' }).judgeWebhook(sent).outcome).toBe('rejected');
  } finally {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
});

describe('a note', () => {
  const mails = (): string[] => readdirSync(connection.outbox).sort();
  const commentsOf = async (ticket: string): Promise<string[]> => {
    const { items } = (await rt.as('ana', 'GET', `/ticket/${ticket}/history?fields=Type&per_page=100`)) as {
      items: { id: string | number; Type: string }[];
    };
    const texts: string[] = [];
    for (const { id } of items.filter(({ Type }) => Type === 'Comment')) {
      const parts = (await rt.as('ana', 'GET', `/transaction/${id}/attachments`)) as { items: { id: string | number }[] };
      for (const part of parts.items) {
        const { Content } = (await rt.as('ana', 'GET', `/attachment/${part.id}`)) as { Content: string };
        texts.push(Buffer.from(Content, 'base64').toString('utf8').trimEnd());
      }
    }
    return texts;
  };

  test('is a comment that staff read as it was written; no mail goes out, and it is no message', async () => {
    const { ticket } = await written();
    const before = { mails: mails(), snapshot: await fetched(ticket) };
    const text =
      'Visa •••• 4242 was replaced by Mastercard •••• 4444.\nConfirmed by the customer <himself> & nobody else; Zoë agrees.';
    expect(await helpdesk.addNote(ticket, text)).toBe(true);
    expect(await commentsOf(ticket)).toEqual([text]);
    expect(mails()).toEqual(before.mails);
    const after = await fetched(ticket);
    expect(after.messages).toEqual(before.snapshot.messages);
    expect(after.ticket).toMatchObject({ status: 'NEW', assignee: null, customer: before.snapshot.ticket.customer });
  });

  test('is not written where there is no ticket, or none that the account may comment on', async () => {
    const { ticket } = await written();
    const reader = connector({ token: rt.person('reader').token });
    expect(await reader.addNote(ticket, 'x')).toBe(false);
    expect(await commentsOf(ticket)).toEqual([]);
    const hidden = await rt.create('root', { Queue: 'General', Subject: 'Hidden', Content: 'x' });
    expect(await helpdesk.addNote(hidden, 'x')).toBe(false);
    expect(await helpdesk.addNote('999999', 'x')).toBe(false);
  });

  test('under a token that RT doesn’t know is no note', async () => {
    const { ticket } = await written();
    const stranger = connector({ token: '1-1-00000000000000000000000000000000' });
    await expect(stranger.addNote(ticket, 'x')).rejects.toMatchObject({ why: 'unauthorized' });
    expect(await commentsOf(ticket)).toEqual([]);
  });
});

describe('what is erased in RT behind its own back', () => {
  const environment = () => ({
    ...process.env,
    RT_SITE_CONFIG: `${connection.directory}/RT_SiteConfig.pm`,
    RT_SITE_CONFIG_DIR: `${connection.directory}/site.d`,
  });
  /** As whoever administers RT does it. */
  const shred = (...objects: readonly string[]) =>
    execFileSync('/usr/sbin/rt-shredder-5', ['--force', '--no-sqldump', '--plugin', `Objects=${objects.join(';')}`], {
      env: environment(),
      cwd: connection.directory,
      stdio: 'pipe',
    });
  const overwrite = (transaction: string, content: string) =>
    execFileSync(
      'perl',
      [
        '-I/usr/share/request-tracker5/lib',
        '-MRT=-init',
        '-e',
        '$RT::Handle->dbh->do("UPDATE Attachments SET Content = ? WHERE TransactionId = ?", undef, @ARGV)',
        content,
        transaction,
      ],
      { env: environment(), stdio: 'pipe' },
    );
  const said = ({ messages }: TicketSnapshot) => messages.map(({ reference, body }) => ({ reference, body }));
  const markOf = async (ticket: string) => (await helpdesk.messageMarks([ticket])).get(ticket);

  test('no poll tells of it; the ticket’s mark does, and reading it gives what is left', async () => {
    const { ticket, from } = await written('Wilma');
    await rt.mail('Cards', { from, subject: `Re: [rt.example #${ticket}] more`, text: 'The number is 4242.' });
    await rt.mail('Cards', { from, subject: `Re: [rt.example #${ticket}] more`, text: 'And my address.' });
    const before = await fetched(ticket);
    expect(before.mark).toEqual(expect.any(String));
    expect(await markOf(ticket)).toBe(before.mark);
    const [first, second, third] = said(before) as unknown as [
      { reference: string },
      { reference: string },
      { reference: string },
    ];
    const cursor = await caughtUp();

    // Wiped by an UPDATE, as tools do that know RT's tables.
    overwrite(second.reference, '');
    const wiped = await fetched(ticket);
    expect(said(wiped)).toMatchObject([first, { reference: second.reference, body: '' }, third]);
    expect(wiped.mark).not.toBe(before.mark);
    expect(await markOf(ticket)).toBe(wiped.mark);

    // One in the middle, then the last: the ticket's record is shorter by it.
    shred(`Transaction,${second.reference}`);
    expect(said(await fetched(ticket))).toEqual([first, third]);
    shred(`Transaction,${third.reference}`);
    const left = await fetched(ticket);
    expect(said(left)).toEqual([first]);
    expect(left.ticket.revision).toBeLessThanOrEqual(before.ticket.revision);
    expect(await markOf(ticket)).toBe(left.mark);
    expect(references(await run(helpdesk.poll(cursor)))).not.toContain(ticket);

    shred(`Ticket,${ticket}`);
    expect(await helpdesk.fetchTicket(ticket)).toBeNull();
    expect(await markOf(ticket)).toBeUndefined();
  });
});

describe('a ticket that the gateway opens', () => {
  const mails = (): string[] => readdirSync(connection.outbox).sort();
  const texts = { subject: 'A look at recent payments', body: 'Payments of this customer need a look.\nAlert: alr_1 <b>Zoë</b>' };
  let made = 0;
  const draft = (customerReference: string, queue = 'Cards') => {
    made += 1;
    return { ...texts, customerReference, queue, idempotencyKey: `out_01JREAL${process.pid}K${made}` };
  };
  const customerOf = async (): Promise<string> => (await fetched((await written()).ticket)).ticket.customer?.reference ?? '';

  test('is the customer’s, in the queue, of its own account, found by its key, and mailed to nobody', async () => {
    const wanted = draft(await customerOf());
    expect(await helpdesk.openedTicket(wanted)).toBeNull();
    const before = mails();
    const reference = await helpdesk.openTicket(wanted);
    expect(reference).toMatch(/^\d+$/);
    expect(await helpdesk.openTicket(wanted)).toBe(reference);
    expect(mails()).toEqual(before);
    expect(await helpdesk.openedTicket(wanted)).toBe(reference);
    expect(await helpdesk.openedTicket({ ...wanted, queue: 'Wallets' })).toBeNull();
    const { ticket, messages } = await fetched(reference ?? '');
    const own = rt.person(connection.gateway).id;
    expect(ticket).toMatchObject({
      subject: `${texts.subject} [${wanted.idempotencyKey}]`,
      status: 'NEW',
      team: 'Cards',
      assignee: null,
      createdByStaff: own,
      customerSetBy: [own],
      customer: { reference: wanted.customerReference },
    });
    expect(messages.map(({ author, body }) => [author, body])).toEqual([[{ kind: 'STAFF', reference: own }, texts.body]]);
  });

  test('is answered to its customer as any is', async () => {
    const reference = await helpdesk.openTicket(draft(await customerOf()));
    const before = mails().length;
    await rt.as('ana', 'POST', `/ticket/${reference}/correspond`, { Content: 'Was this you?', ContentType: 'text/plain' });
    expect(mails().length).toBeGreaterThan(before);
  });

  test('is none for staff, for nobody, and where the account may open none', async () => {
    for (const reference of [ana, '999999', '0', 'x']) expect(await helpdesk.openTicket(draft(reference))).toBeNull();
    // Here it may open tickets, and not say whose they are.
    expect(await helpdesk.openTicket(draft(await customerOf(), 'Wallets'))).toBeNull();
    const wanted = draft(await customerOf(), 'General');
    expect(await helpdesk.openTicket(wanted)).toBeNull();
    expect(await helpdesk.openTicket({ ...wanted, queue: 'Nowhere' })).toBeNull();
    expect(await helpdesk.openedTicket(wanted)).toBeNull();
  });
});
