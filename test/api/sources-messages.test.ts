import { createHash } from 'node:crypto';
import fc from 'fast-check';
import type { Sweep } from '../../src/features/sources/sweep';
import type { MessageRecord } from '../../src/upstream/helpdesk/helpdesk.port';
import { countOf, eventsOf, told } from '../support/answers';
import { TestApp } from '../support/app';
import { ScriptedHelpdesk } from '../support/scripted-sources';

const createdAt = new Date('2026-08-20T10:00:00.000Z');
const message = (reference: string, body: string, more: Partial<MessageRecord> = {}): MessageRecord => ({
  reference,
  author: { kind: 'CUSTOMER', displayName: 'Person one' },
  channel: 'EMAIL',
  body,
  createdAt,
  ...more,
});
const query = `query ($reference: String!) { ticketByReference(source: "demo", reference: $reference) {
  subject messages { nodes { id channel body author { __typename } redactions { kind } } } } }`;

describe('what a helpdesk changes of what was said', () => {
  let helpdesk: ScriptedHelpdesk;
  let test: TestApp;
  beforeEach(async () => {
    helpdesk = new ScriptedHelpdesk('demo');
    helpdesk.put('1', {}, [message('m1', 'my number is zq-hush')]);
    helpdesk.put('2', {}, [message('m1', 'another ticket')]);
    test = await TestApp.start({ connectors: { demo: helpdesk } });
    helpdesk.now = test.clock.now;
  });
  afterEach(() => test.stop());

  const shown = async (reference = '1') => {
    const { data } = told(await test.as('ana', query, { reference }));
    return data.ticketByReference?.messages.nodes as { id: string; body: string; channel: string }[];
  };
  const bodies = async (reference?: string) => (await shown(reference)).map(({ body }) => body);
  const changes = async (work: () => Promise<unknown>) =>
    (await eventsOf(test, work))
      .filter(({ action }) => action === 'source.messages-changed')
      .map(({ detail, subject, tickets }) => ({ detail, subject, tickets }));
  const refresh = () => test.app.sources.refreshTicket('demo', '1');

  it('is followed when a poll tells: edited, then removed, with its counts in the log and no word of what stood there', async () => {
    const [{ id }] = (await shown()) as unknown as [{ id: string }];
    helpdesk.put('1', {}, [message('m1', '[removed by the privacy officer]')]);
    const edited = await changes(() => test.app.sources.syncAll());
    expect(await shown()).toMatchObject([{ id, body: '[removed by the privacy officer]' }]);
    helpdesk.put('1', {}, []);
    const removed = await changes(() => test.app.sources.syncAll());
    expect(await shown()).toEqual([]);
    const [{ id: ticket } = { id: '' }] = await test.app.database.query<{ id: string }>(
      "SELECT id FROM helpdesk_ticket WHERE reference = '1'",
    );
    expect([edited, removed]).toMatchObject([
      [{ detail: { edited: 1, removed: 0 }, subject: { type: 'Ticket', id: ticket } }],
      [{ detail: { edited: 0, removed: 1 }, subject: { type: 'Ticket', id: ticket } }],
    ]);
    expect(JSON.stringify(await test.events())).not.toMatch(/zq-hush|privacy officer/);
  });

  it.each([
    ['edited', [message('m1', 'now other words')], ['now other words']],
    ['emptied', [message('m1', '')], ['']],
    ['removed', [], []],
    ['removed, and another one written', [message('m2', 'later')], ['later']],
    ['changed in its channel alone', [message('m1', 'my number is zq-hush', { channel: 'WEB' })], ['my number is zq-hush']],
  ])('is followed where neither revision nor poll tells: %s', async (_, now, expected) => {
    helpdesk.rewrite('1', now);
    await refresh();
    expect(await bodies()).toEqual(expected);
    expect((await shown()).map(({ channel }) => channel)).toEqual(now.map(({ channel }) => channel));
    expect(await bodies('2')).toEqual(['another ticket']);
    // What stands there stays, and nothing is written of it again.
    test.clock.forward(1_000);
    expect(await eventsOf(test, refresh)).toEqual([]);
  });

  it('is followed where the helpdesk’s record got shorter by it, by a reading that began afterwards', async () => {
    const old = helpdesk.hold();
    const slow = refresh();
    await old.asked;
    old.letOthersPass();
    test.clock.forward(1_000);
    const { revision } = helpdesk.put('1', {}, [message('m1', 'my number is zq-hush'), message('m2', 'more')]);
    await test.app.sources.syncAll();
    old.release();
    await slow;
    expect((await bodies()).sort()).toEqual(['more', 'my number is zq-hush']);
    helpdesk.rewrite('1', [message('m1', 'my number is zq-hush')], { revision: revision - 1 });
    test.clock.forward(1_000);
    await refresh();
    expect(await bodies()).toEqual(['my number is zq-hush']);
  });

  it('is followed in the subject', async () => {
    helpdesk.rewrite('1', [message('m1', 'my number is zq-hush')], { subject: 'erased' });
    await refresh();
    expect(told(await test.as('ana', query, { reference: '1' })).data.ticketByReference.subject).toBe('erased');
  });

  it('is not concluded from what could be read in part: nothing is edited or removed by it, and what is new is there', async () => {
    helpdesk.partial.add('1');
    helpdesk.rewrite('1', [message('m2', 'new')]);
    await refresh();
    expect(await bodies()).toEqual(['my number is zq-hush']);
    helpdesk.put('1', {}, [message('m1', ''), message('m2', 'new')]);
    await test.app.sources.syncAll();
    expect((await bodies()).sort()).toEqual(['my number is zq-hush', 'new']);
    helpdesk.partial.clear();
    await refresh();
    expect((await bodies()).sort()).toEqual(['', 'new']);
  });

  it('leaves nothing of a ticket that is erased whole', async () => {
    helpdesk.erase('1');
    await refresh();
    expect(await countOf(test, 'helpdesk_message', "ticket_id IN (SELECT id FROM helpdesk_ticket WHERE reference = '1')")).toBe(
      0,
    );
    expect(await countOf(test, 'helpdesk_ticket', "reference = '1' AND subject_sealed IS NULL AND status = 'CLOSED'")).toBe(1);
    expect(await bodies('2')).toEqual(['another ticket']);
  });

  it('is compared once in rows of before there were digests', async () => {
    await test.app.database.system('sync', 'source.ingest-tickets', async (change) => {
      const { tickets, messages } = jest.requireActual('../../src/features/tickets/ticket.entity');
      const { sql } = jest.requireActual('../../src/db/sql');
      await change.update(tickets, { digest: null }, sql`1 = 1`);
      await change.update(messages, { digest: null }, sql`1 = 1`);
      change.record('source.ingest-tickets', { subject: { type: 'Source', id: 'demo' }, detail: { unreadable: 0 } });
    });
    helpdesk.rewrite('1', [message('m1', 'wiped')]);
    await refresh();
    expect(await bodies()).toEqual(['wiped']);
    expect(await eventsOf(test, refresh)).toEqual([]);
  });

  it('leads to what the helpdesk has, whatever it does and in whatever order it is read', async () => {
    const list = fc.uniqueArray(fc.record({ reference: fc.constantFrom('a', 'b', 'c'), body: fc.constantFrom('', 'x', 'y') }), {
      selector: ({ reference }) => reference,
    });
    const step = fc.record({ list, isPartial: fc.boolean(), isTold: fc.boolean() });
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 6 }), async (steps) => {
        for (const { list: now, isPartial, isTold } of steps) {
          test.clock.forward(1_000);
          if (isPartial) helpdesk.partial.add('1');
          else helpdesk.partial.delete('1');
          const before = new Map((await shown()).map(({ body }, index) => [index, body]));
          const messages = now.map(({ reference, body }) => message(reference, body));
          if (isTold) helpdesk.put('1', {}, messages);
          else helpdesk.rewrite('1', messages);
          await refresh();
          const rows = await bodies();
          if (isPartial) expect(rows.length).toBeGreaterThanOrEqual(before.size);
          else expect([...rows].sort()).toEqual(now.map(({ body }) => body).sort());
        }
      }),
      { numRuns: 15 },
    );
  });
});

/** A helpdesk that marks what stands in its tickets, and counts what it is asked. */
class MarkingHelpdesk extends ScriptedHelpdesk {
  searches = 0;
  override async fetchTicket(reference: string) {
    const snapshot = await super.fetchTicket(reference);
    return snapshot && { ...snapshot, mark: markOf(snapshot) };
  }
  messageMarks = async (references: readonly string[]): Promise<ReadonlyMap<string, string>> => {
    this.searches += 1;
    const visible = await this.visibleTickets(references);
    const fetched = [...visible].map(async (reference) => [reference, await super.fetchTicket(reference)] as const);
    this.fetches.splice(-visible.size);
    return new Map(
      (await Promise.all(fetched)).flatMap(([reference, each]) => (each ? [[reference, markOf(each)] as const] : [])),
    );
  };
}
const markOf = ({ ticket, messages }: { ticket: { subject: string | null }; messages: readonly MessageRecord[] }): string =>
  createHash('sha256')
    .update(JSON.stringify([ticket.subject, messages]))
    .digest('base64url');

describe.each([
  ['that marks what stands in its tickets', MarkingHelpdesk],
  ['whose tickets have to be read', ScriptedHelpdesk],
])('of a helpdesk %s, a change that nothing tells of', (_, Helpdesk) => {
  const hour = 3_600_000;
  const tickets = 60;
  let helpdesk: ScriptedHelpdesk;
  let test: TestApp;
  beforeEach(async () => {
    helpdesk = new Helpdesk('demo');
    for (let number = 1; number <= tickets; number += 1) helpdesk.put(String(number), {}, [message('m1', `words of ${number}`)]);
    test = await TestApp.start({ connectors: { demo: helpdesk } });
    helpdesk.now = test.clock.now;
  });
  afterEach(() => test.stop());

  const sweep = () => Reflect.get(test.app.sources, 'sweep') as Sweep;
  const bodiesOf = async (reference: string) => {
    const rows = await test.app.database.query<{ id: string }>(
      'SELECT m.id FROM helpdesk_message m JOIN helpdesk_ticket t ON t.id = m.ticket_id WHERE t.reference = ?',
      [reference],
    );
    return rows.length;
  };
  const metric = async (name: string) =>
    Number(new RegExp(`^${name}\\{source="demo"\\} (\\d+)`, 'm').exec((await test.server.inject({ url: '/metrics' })).body)?.[1]);

  it('is found within a day, a batch after the other, where the sweep stood before a restart too', async () => {
    helpdesk.rewrite('7', []);
    helpdesk.rewrite('59', []);
    await sweep().turn('demo');
    expect([await bodiesOf('7'), await bodiesOf('59')]).toEqual([1, 1]);
    test.clock.forward(25 * hour);
    expect(await metric('counterfoil_texts_late')).toBe(tickets);
    expect(await metric('counterfoil_text_age_seconds')).toBe(25 * 3_600);
    const fetched = helpdesk.fetches.length;
    await sweep().turn('demo');
    // Late as all of them are, a turn takes several batches of 25.
    expect(await metric('counterfoil_texts_late')).toBe(0);
    expect([await bodiesOf('7'), await bodiesOf('59')]).toEqual([0, 0]);
    const read = helpdesk.fetches.slice(fetched);
    // The first time nothing is known by a mark.
    expect(read.length).toBe(tickets);
    test.clock.forward(13 * hour);
    helpdesk.rewrite('1', []);
    helpdesk.rewrite('60', []);
    const before = helpdesk.fetches.length;
    await sweep().turn('demo');
    const left = await countOf(test, 'helpdesk_ticket', 'messages_seen_at < ?', test.clock.now().getTime());
    expect(left).toBe(tickets - 25);
    await test.restart();
    for (let turns = 0; turns < 2; turns += 1) await sweep().turn('demo');
    expect(helpdesk.fetches.length - before).toBe(helpdesk instanceof MarkingHelpdesk ? 2 : tickets);
    if (helpdesk instanceof MarkingHelpdesk) expect(helpdesk.searches).toBe(6);
    expect([await bodiesOf('1'), await bodiesOf('60')]).toEqual([0, 0]);
    expect(await countOf(test, 'helpdesk_ticket', 'messages_seen_at < ?', test.clock.now().getTime())).toBe(0);
  });

  it('is found of a ticket that is no more, and one that can’t be read holds up no others', async () => {
    helpdesk.erase('7');
    helpdesk.partial.add('8');
    helpdesk.rewrite('8', [message('m1', 'other words')]);
    test.clock.forward(13 * hour);
    await test.app.sources.syncAll();
    expect([await bodiesOf('7'), await bodiesOf('8')]).toEqual([0, 1]);
    const left = () => countOf(test, 'helpdesk_ticket', 'messages_seen_at < ?', test.clock.now().getTime());
    expect(await left()).toBe(1);
    helpdesk.partial.clear();
    test.clock.forward(12 * hour);
    await test.restart();
    await test.app.sources.syncAll();
    expect(await left()).toBe(0);
  });

  it('is found while somebody assists, within the time that a confirmation counts, or twice that where it has to be read', async () => {
    expect((await test.as('ana', query, { reference: '7' })).errors).toBeUndefined();
    helpdesk.rewrite('7', []);
    helpdesk.rewrite('9', []);
    test.clock.forward(helpdesk instanceof MarkingHelpdesk ? 16_000 : 61_000);
    await test.app.sources.syncAll();
    expect([await bodiesOf('7'), await bodiesOf('9')]).toEqual([0, 1]);
    const { data } = told(await test.as('ana', query, { reference: '7' }));
    expect(data.ticketByReference.messages.nodes).toEqual([]);
  });
});

it('a ticket that has to be read for a comparison is confirmed before that, and keeps no other from it', async () => {
  const helpdesk = new ScriptedHelpdesk('demo');
  for (const reference of ['7', '9']) helpdesk.put(reference, {}, [message('m1', `words of ${reference}`)]);
  const test = await TestApp.start({ connectors: { demo: helpdesk } });
  try {
    helpdesk.now = test.clock.now;
    for (const reference of ['7', '9']) expect((await test.as('ana', query, { reference })).errors).toBeUndefined();
    test.clock.forward(61_000);
    const held = helpdesk.hold();
    const synced = test.app.sources.syncAll();
    await held.asked;
    expect(await countOf(test, 'helpdesk_ticket', 'observed_at = ?', test.clock.now().getTime())).toBe(2);
    held.release();
    await synced;
  } finally {
    await test.stop();
  }
});
