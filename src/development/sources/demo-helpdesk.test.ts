import type { TicketBatch, TicketSnapshot } from '../../upstream/helpdesk/helpdesk.port';
import { demoTickets } from '../merchant/cast';
import { readDemoCursor } from '../merchant/cursor';
import { DemoHelpdesk } from './demo-helpdesk';

const anchor = new Date('2026-08-01T00:00:00Z');
const longAgo = new Date(0);

const helpdesk = (size = 0.04, seed = 7) => {
  let time = new Date('2026-08-01T09:00:00Z').getTime();
  const clock = { now: () => new Date(time), pass: (milliseconds: number) => (time += milliseconds) };
  return { clock, desk: new DemoHelpdesk({ seed, size, anchor, source: 'desk', clock }) };
};

const collect = async <T>(stream: AsyncIterable<T>): Promise<T[]> => {
  const all: T[] = [];
  for await (const each of stream) all.push(each);
  return all;
};
const lastCursor = (batches: readonly TicketBatch[]): string => batches[batches.length - 1]?.cursor ?? '';
const ticketsOf = (batches: readonly TicketBatch[]): TicketSnapshot[] => batches.flatMap((each) => [...each.tickets]);

describe('backfill', () => {
  test('streams every ticket once, in batches of 200 with the total, and fetching one gives the same', async () => {
    const { desk } = helpdesk();
    const batches = await collect(desk.backfill(longAgo, null));
    expect(batches.map((each) => [each.tickets.length, each.complete, each.total])).toEqual([
      [200, false, 480],
      [200, false, 480],
      [80, true, 480],
    ]);
    const streamed = ticketsOf(batches);
    expect(new Set(streamed.map((each) => each.ticket.reference)).size).toBe(480);
    for (const each of streamed) expect(await desk.fetchTicket(each.ticket.reference)).toEqual(each);
  });

  test('resumed at any cursor goes on where it stopped and claims no more than the first run', async () => {
    const { desk, clock } = helpdesk();
    const whole = await collect(desk.backfill(longAgo, null));
    clock.pass(60_000);
    const rest = await collect(desk.backfill(longAgo, whole[0]?.cursor ?? ''));
    const ids = (batches: readonly TicketBatch[]) => ticketsOf(batches).map((each) => each.ticket.reference);
    expect(ids(rest)).toEqual(ids(whole).slice(200));
    expect(rest[0]?.asOf).toEqual(whole[0]?.asOf);
    expect(lastCursor(rest)).toBe(lastCursor(whole));
    const again = await collect(desk.backfill(longAgo, lastCursor(whole)));
    expect(again.map((each) => [each.tickets.length, each.complete])).toEqual([[0, true]]);
  });

  test('gives only what was updated within the window, and then no total', async () => {
    const { desk } = helpdesk();
    const since = new Date('2026-07-20T00:00:00Z');
    const batches = await collect(desk.backfill(since, null));
    const expected = ticketsOf(await collect(desk.backfill(longAgo, null))).filter((each) => each.ticket.updatedAt >= since);
    expect(ticketsOf(batches)).toEqual(expected);
    expect(expected.length).toBeGreaterThan(10);
    expect(batches[0]?.total).toBeUndefined();
  });

  test('a change made meanwhile is not lost to the poll that follows', async () => {
    const { desk } = helpdesk();
    const batches: TicketBatch[] = [];
    for await (const batch of desk.backfill(longAgo, null)) {
      if (batches.length === 0) desk.reassign(demoTickets.own.reference, 'elif', 'sam');
      batches.push(batch);
    }
    const polled = ticketsOf(await collect(desk.poll(lastCursor(batches))));
    expect(polled.map((each) => [each.ticket.reference, each.ticket.assignee])).toEqual([[demoTickets.own.reference, 'elif']]);
  });
});

describe('a changed ticket', () => {
  test.each([
    ['reassigned', (desk: DemoHelpdesk) => desk.reassign('1001', 'elif', 'sam'), { assignee: 'elif', assignedBy: 'sam' }],
    ['given back', (desk: DemoHelpdesk) => desk.reassign('1001', null, 'ana'), { assignee: null, assignedBy: null }],
    ['closed', (desk: DemoHelpdesk) => desk.close('1001'), { status: 'CLOSED', assignee: 'ana' }],
    ['reopened', (desk: DemoHelpdesk) => desk.reopen('1006'), { status: 'OPEN', assignee: 'ana' }],
    [
      're-addressed',
      (desk: DemoHelpdesk) => desk.setCustomer('1001', 'hc-50', 'ana'),
      { customer: expect.objectContaining({ reference: 'hc-50' }), customerSetBy: ['ana'] },
    ],
    [
      're-addressed by a machine',
      (desk: DemoHelpdesk) => desk.setCustomer('1005', null, null),
      { customer: null, customerSetBy: ['ana'] },
    ],
  ])('%s: has a higher revision, and poll and fetch see it', async (_, change, expected) => {
    const { desk, clock } = helpdesk();
    const cursor = lastCursor(await collect(desk.backfill(longAgo, null)));
    const [before] = await collect(desk.poll(cursor));
    expect(before).toMatchObject({ tickets: [], complete: true });
    clock.pass(1_000);
    const changed = change(desk);
    expect(changed).toMatchObject(expected);
    expect(changed.updatedAt).toEqual(clock.now());
    const [batch] = await collect(desk.poll(cursor));
    expect(batch?.tickets.map((each) => each.ticket)).toEqual([changed]);
    const fetched = await desk.fetchTicket(changed.reference);
    expect(fetched?.ticket).toEqual(changed);
    const { desk: untouched } = helpdesk();
    const original = await untouched.fetchTicket(changed.reference);
    expect(changed.revision).toBeGreaterThan(original?.ticket.revision ?? Number.MAX_SAFE_INTEGER);
    const isByCustomer = fetched?.ticket.customer?.reference === original?.ticket.customer?.reference;
    expect(fetched?.messages).toEqual(
      original?.messages.map((each) => (each.author.kind === 'CUSTOMER' ? { ...each, isByCustomer } : each)),
    );
    for (const each of [changed.assignee, changed.assignedBy, ...changed.customerSetBy]) {
      if (each !== null) expect(fetched?.staff.map((member) => member.reference)).toContain(each);
    }
    expect((await collect(desk.poll(batch?.cursor ?? ''))).map((each) => each.tickets)).toEqual([[]]);
  });

  test('changed twice is seen once, as it is now; each change has its own revision, also within one millisecond', async () => {
    const { desk } = helpdesk();
    const cursor = lastCursor(await collect(desk.backfill(longAgo, null)));
    const first = desk.reassign('1001', 'elif', 'sam');
    const second = desk.close('1001');
    expect(second.revision).toBeGreaterThan(first.revision);
    expect(ticketsOf(await collect(desk.poll(cursor))).map((each) => each.ticket)).toEqual([second]);
  });

  test('after a restart, a new change is newer than those of before', async () => {
    const { desk, clock } = helpdesk();
    desk.close('1001');
    const old = desk.close('1001');
    const [batch] = await collect(desk.poll(lastCursor(await collect(desk.backfill(longAgo, null)))));
    clock.pass(5_000);
    const restarted = new DemoHelpdesk({ seed: 7, size: 0.04, anchor, source: 'desk', clock });
    expect(restarted.reopen('1001').revision).toBeGreaterThan(old.revision);
    expect(ticketsOf(await collect(restarted.poll(batch?.cursor ?? ''))).map((each) => each.ticket.status)).toEqual(['OPEN']);
  });

  test('an unknown ticket, customer or colleague is a mistake of the program, and changes nothing', async () => {
    const { desk } = helpdesk();
    const cursor = lastCursor(await collect(desk.backfill(longAgo, null)));
    expect(() => desk.close('999999')).toThrow('no such ticket');
    expect(() => desk.setCustomer('1001', 'hc-999999', 'ana')).toThrow('no such customer');
    expect(() => desk.reassign('1001', 'mallory', 'sam')).toThrow('no such staff');
    expect(ticketsOf(await collect(desk.poll(cursor)))).toEqual([]);
  });
});

test.each(['', '0', '1000', '1481', '01001', '1001 ', '+1001', '1e3', '1001.0', '-1', 'hc-1', '__proto__', '9'.repeat(400)])(
  'there is no ticket %j',
  async (reference) => {
    expect(await helpdesk().desk.fetchTicket(reference)).toBeNull();
  },
);

test('a helpdesk that is down fails every call, also in the middle of a backfill, and goes on afterwards', async () => {
  const { desk } = helpdesk();
  const cursor = lastCursor(await collect(desk.backfill(longAgo, null)));
  const down = { name: 'SourceUnavailable', source: 'desk', why: 'refused' };
  let seen = 0;
  const broken = async () => {
    for await (const batch of desk.backfill(longAgo, null)) {
      seen += batch.tickets.length;
      desk.goDown();
    }
  };
  await expect(broken()).rejects.toMatchObject(down);
  expect(seen).toBe(200);
  await expect(desk.fetchTicket('1001')).rejects.toMatchObject(down);
  await expect(desk.ping()).rejects.toMatchObject(down);
  await expect(collect(desk.poll(cursor))).rejects.toMatchObject(down);
  desk.comeBack();
  await expect(desk.ping()).resolves.toBeUndefined();
  expect((await desk.fetchTicket('1001'))?.ticket.assignee).toBe('ana');
});

test('the cursor of another merchant is refused, and tells which one it was', async () => {
  const cursor = lastCursor(await collect(helpdesk(0.02).desk.backfill(longAgo, null)));
  const { desk } = helpdesk();
  await expect(collect(desk.poll(cursor))).rejects.toMatchObject({ why: 'malformed' });
  await expect(collect(desk.backfill(longAgo, cursor))).rejects.toMatchObject({ why: 'malformed' });
  await expect(collect(desk.poll('garbage'))).rejects.toMatchObject({ why: 'malformed' });
  expect(readDemoCursor(cursor)).toMatchObject({ seed: 7, size: 0.02, anchor });
});

test('a webhook that claims to come from the demo is rejected', () => {
  expect(helpdesk().desk.judgeWebhook().outcome).toBe('rejected');
});

test('what was loaded is what the clock said then', async () => {
  const { desk, clock } = helpdesk();
  const first = await desk.fetchTicket('1001');
  expect(first?.asOf).toEqual(clock.now());
  clock.pass(90_000);
  const second = await desk.fetchTicket('1001');
  expect(second).toEqual({ ...first, asOf: clock.now() });
});

test('what was said is changed behind the helpdesk’s history: only its mark and its text tell', async () => {
  const { desk } = helpdesk();
  const { reference } = demoTickets.own;
  const before = await desk.fetchTicket(reference);
  const marksOf = async () => [...(await desk.messageMarks([reference, '1002', '1']))];
  const [[, first]] = (await marksOf()) as [[string, string]];
  expect([before?.mark, (await marksOf()).map(([of]) => of)]).toEqual([first, [reference, '1002']]);
  const texts = before?.messages.map(({ body }) => body) ?? [];
  const [own] = before?.messages.filter(({ author }) => author.kind === 'CUSTOMER') ?? [];
  expect(desk.rewrite(reference, 'other words')).toBe(true);
  const edited = await desk.fetchTicket(reference);
  expect(edited).toMatchObject({ ticket: before?.ticket, mark: (await marksOf())[0]?.[1] });
  expect(edited?.messages.map(({ body }) => body)).toEqual(texts.map((text) => (text === own?.body ? 'other words' : text)));
  expect(edited?.mark).not.toBe(first);
  expect(desk.rewrite(reference, null)).toBe(true);
  expect((await desk.fetchTicket(reference))?.messages).toEqual(before?.messages.filter((message) => message !== own));
  while (desk.rewrite(reference, null));
  expect((await desk.fetchTicket(reference))?.messages.every(({ author }) => author.kind !== 'CUSTOMER')).toBe(true);
  expect(desk.rewrite('1', 'x')).toBe(false);
});

describe('a note', () => {
  test('stands on its ticket for staff, and is no message of it', async () => {
    const { desk, clock } = helpdesk();
    const { reference } = demoTickets.own;
    const before = await desk.fetchTicket(reference);
    expect(await desk.addNote(reference, 'The card was replaced.\u0007\r\nBy the customer.')).toBe(true);
    expect(desk.notes).toEqual([{ reference, text: 'The card was replaced. \nBy the customer.', at: clock.now() }]);
    expect(await desk.fetchTicket(reference)).toEqual(before);
  });

  test.each(['', '1', '999999', '1001 ', '__proto__'])('is written on no ticket %j', async (reference) => {
    const { desk } = helpdesk();
    expect(await desk.addNote(reference, 'x')).toBe(false);
    expect(desk.notes).toEqual([]);
  });

  test('does not reach a helpdesk that is down', async () => {
    const { desk } = helpdesk();
    desk.goDown();
    await expect(desk.addNote(demoTickets.own.reference, 'x')).rejects.toMatchObject({ why: 'refused' });
    expect(desk.notes).toEqual([]);
  });

  test('is kept until a thousand newer ones are there', async () => {
    const { desk } = helpdesk();
    for (let number = 0; number < 1_002; number += 1) await desk.addNote(demoTickets.own.reference, String(number));
    expect(desk.notes.length).toBe(1_000);
    expect(desk.notes[0]?.text).toBe('2');
  });
});

describe('a ticket that is opened', () => {
  const draft = {
    customerReference: 'hc-7',
    queue: 'cards',
    subject: 'A look at recent payments',
    body: 'Look at this.',
    idempotencyKey: 'out_1',
  };

  test('is there once for its key, as a new ticket of the queue that an automation made, and is told of by a poll', async () => {
    const { desk } = helpdesk();
    const seen = lastCursor(await collect(desk.backfill(longAgo, null)));
    expect(await desk.openedTicket(draft)).toBeNull();
    const reference = await desk.openTicket(draft);
    expect(await desk.openTicket(draft)).toBe(reference);
    expect(await desk.openedTicket(draft)).toBe(reference);
    const snapshot = await desk.fetchTicket(reference ?? '');
    expect(snapshot).toMatchObject({
      ticket: {
        reference,
        subject: draft.subject,
        status: 'NEW',
        team: 'cards',
        assignee: null,
        createdByStaff: null,
        customerSetBy: [],
        customer: { reference: 'hc-7' },
      },
      messages: [{ author: { kind: 'SYSTEM' }, body: draft.body }],
    });
    expect(ticketsOf(await collect(desk.poll(seen))).map(({ ticket }) => ticket.reference)).toEqual([reference]);
    expect([...(await desk.visibleTickets([reference ?? '', '1']))]).toEqual([reference]);
    desk.reassign(reference ?? '', 'ana', 'sam');
    expect((await desk.fetchTicket(reference ?? ''))?.ticket).toMatchObject({ assignee: 'ana', assignedBy: 'sam' });
    expect(await desk.addNote(reference ?? '', 'x')).toBe(true);
  });

  test('is none for whom the helpdesk doesn’t know, and not more than a thousand', async () => {
    const { desk } = helpdesk();
    for (const customerReference of ['hc-999999', 'x', ''])
      expect(await desk.openTicket({ ...draft, customerReference })).toBeNull();
    for (let number = 0; number < 1_000; number += 1) await desk.openTicket({ ...draft, idempotencyKey: `out_${number}` });
    expect(await desk.openTicket({ ...draft, idempotencyKey: 'out_more' })).toBeNull();
  });

  test('does not reach a helpdesk that is down', async () => {
    const { desk } = helpdesk();
    desk.goDown();
    await expect(desk.openTicket(draft)).rejects.toMatchObject({ why: 'refused' });
    await expect(desk.openedTicket(draft)).rejects.toMatchObject({ why: 'refused' });
  });
});
