import type { SourceParts } from '../../src/features/sources/source-parts';
import { chunks } from '../../src/lanes';
import { countOf, ticketIdOf, told } from '../support/answers';
import { TestApp } from '../support/app';
import { sampleTicket, startSample } from '../support/sample';
import { card, helpdeskCustomer, payment, ScriptedHelpdesk, ScriptedPayments, staff } from '../support/scripted-sources';

const minute = 60_000;

const start = async (
  prepare: (helpdesk: ScriptedHelpdesk, payments: ScriptedPayments) => void,
  options: Parameters<typeof TestApp.start>[0] = {},
) => {
  const helpdesk = new ScriptedHelpdesk('demo');
  const payments = new ScriptedPayments('demo-pay');
  prepare(helpdesk, payments);
  const test = await TestApp.start({ connectors: { demo: helpdesk, 'demo-pay': payments }, ...options });
  helpdesk.now = test.clock.now;
  payments.now = test.clock.now;
  return { test, helpdesk, payments };
};

const byReference = `query ($reference: String!) {
  ticketByReference(source: "demo", reference: $reference) {
    assignee { displayName } team status freshness { stale }
    customer { link paymentMethods { last4 } transactions { totalCount } paymentsFreshness { stale } }
  }
}`;

describe('what a source says', () => {
  let sample: Awaited<ReturnType<typeof startSample>>;
  beforeEach(async () => {
    sample = await startSample();
  });
  afterEach(() => sample.test.stop());
  const storedTicket = async () => {
    const [row] = await sample.test.app.database.query(
      'SELECT s.reference AS assignee, t.status FROM helpdesk_ticket t LEFT JOIN helpdesk_staff s ON s.id = t.assignee_id WHERE t.reference = ?',
      [sampleTicket],
    );
    return row;
  };

  it('about a ticket never overwrites what it said later, and revives no assistance', async () => {
    const { test, helpdesk } = sample;
    await test.as('ana', byReference, { reference: sampleTicket });
    const held = helpdesk.hold();
    // Read before the reassignment, stored after it.
    const old = test.app.sources.refreshTicket('demo', sampleTicket);
    await held.asked;
    test.clock.forward(1_000);
    helpdesk.put(sampleTicket, { assignee: 'ben', team: 'wallets' });
    await test.app.sources.syncAll();
    expect(await storedTicket()).toEqual({ assignee: 'ben', status: 'OPEN' });
    held.release();
    await old;
    expect(await storedTicket()).toEqual({ assignee: 'ben', status: 'OPEN' });
    expect(await countOf(test, 'assistance', 'ended_at IS NULL')).toBe(0);
    const answer = told(await test.as('ana', byReference, { reference: sampleTicket }));
    expect(answer).toEqual({ data: { ticketByReference: null }, errors: [['ticketByReference', 'NOT_FOUND']] });
  });

  it('in a slow answer counts where its revision is higher, though a quicker answer was asked for later', async () => {
    const { test, helpdesk } = sample;
    await test.as('ana', byReference, { reference: sampleTicket });
    const { tickets } = Reflect.get(Reflect.get(test.app.sources, 'reading'), 'parts') as SourceParts;
    const began = test.clock.now();
    test.clock.forward(2_000);
    // Asked later, answered before the change.
    await test.app.sources.refreshTicket('demo', sampleTicket);
    helpdesk.put(sampleTicket, { assignee: 'ben', team: 'wallets', customerSetBy: [] });
    const slow = await helpdesk.fetchTicket(sampleTicket);
    if (!slow) throw new Error('the helpdesk has this ticket');
    await tickets.take({ name: 'demo', teams: {} }, [{ ...slow, asOf: began }]);
    expect(await storedTicket()).toEqual({ assignee: 'ben', status: 'OPEN' });
    expect(await countOf(test, 'assistance', 'ended_at IS NULL')).toBe(0);
  });

  it('about payments never overwrites what it said later', async () => {
    const { test, payments } = sample;
    test.clock.forward(6 * minute);
    const [{ id } = { id: '' }] = await test.app.database.query<{ id: string }>('SELECT id FROM helpdesk_customer');
    const held = payments.hold();
    const old = test.app.sources.refreshPayments(id);
    await held.asked;
    held.letOthersPass();
    test.clock.forward(1_000);
    payments.put('pay-quill', { helpdeskReference: 'demo:quill' }, [card('pm_new', { last4: '1111' })], [payment('ch_new')]);
    await test.app.sources.syncAll();
    held.release();
    await old;
    const methods = await test.app.database.query("SELECT last4 FROM payment_method WHERE status <> 'REMOVED'");
    expect(methods).toEqual([{ last4: '1111' }]);
  });

  it('about a reassignment is seen by the next poll: the one sees the ticket, the other no more', async () => {
    const { test, helpdesk } = sample;
    const list = '{ tickets { nodes { reference } } }';
    const mine = { data: { tickets: { nodes: [{ reference: sampleTicket }] } }, errors: [] };
    const none = { data: { tickets: { nodes: [] } }, errors: [] };
    expect([told(await test.as('ana', list)), told(await test.as('ben', list))]).toEqual([mine, none]);
    helpdesk.put(sampleTicket, { assignee: 'ben', team: 'wallets' });
    await test.app.sources.syncAll();
    expect([told(await test.as('ana', list)), told(await test.as('ben', list))]).toEqual([none, mine]);
  });

  it('about a ticket that it hides from then on ends the assistances on it: no poll vouches for what it didn’t read', async () => {
    const { test, helpdesk } = sample;
    const before = told(await test.as('ana', byReference, { reference: sampleTicket }));
    expect(before.errors).toEqual([]);
    const [{ id } = { id: '' }] = await test.app.database.query<{ id: string }>('SELECT id FROM helpdesk_customer');
    test.clock.forward(1_000);
    helpdesk.put(sampleTicket, { assignee: 'ben', team: 'elsewhere' });
    helpdesk.hidden.add(sampleTicket);
    await test.app.sources.syncAll();
    expect(told(await test.as('ana', 'query ($id: ID!) { customer(id: $id) { displayName } }', { id }))).toEqual({
      data: { customer: null },
      errors: [['customer', 'NOT_FOUND']],
    });
    // Who asked had it looked at, and so it ended.
    expect(await countOf(test, 'assistance', 'ended_at IS NULL')).toBe(0);
    expect(told(await test.as('ana', '{ tickets { totalCount } }')).data.tickets.totalCount).toBe(0);
    helpdesk.hidden.delete(sampleTicket);
    helpdesk.put(sampleTicket, { assignee: 'ana', team: 'cards' });
    test.clock.forward(1_000);
    await test.app.sources.syncAll();
    expect(told(await test.as('ana', byReference, { reference: sampleTicket }))).toEqual(before);
  });

  it('about nothing is no word about a ticket: one that it stopped showing loses its assistances at the next poll', async () => {
    const { test, helpdesk } = sample;
    expect(told(await test.as('ana', byReference, { reference: sampleTicket })).errors).toEqual([]);
    // Moved to where our account sees nothing: no poll tells, now or later.
    helpdesk.hidden.add(sampleTicket);
    test.clock.forward(1_000);
    await test.app.sources.syncAll();
    expect(await countOf(test, 'assistance', 'ended_at IS NULL')).toBe(0);
    expect(told(await test.as('ana', '{ tickets { totalCount } }')).data.tickets.totalCount).toBe(0);
  });

  it('about nothing confirms a ticket that somebody assists on and that it shows, and no other', async () => {
    const { test, helpdesk } = sample;
    helpdesk.put('unassisted');
    await test.app.sources.syncAll();
    const list = '{ tickets { nodes { reference freshness { stale } } } }';
    const stale = async () => {
      const { data } = told(await test.as('ana', list));
      const nodes = data.tickets.nodes as { reference: string; freshness: { stale: boolean } }[];
      return Object.fromEntries(nodes.map(({ reference, freshness }) => [reference, freshness.stale]));
    };
    await test.as('ana', byReference, { reference: sampleTicket });
    expect(await stale()).toEqual({ [sampleTicket]: false, unassisted: false });
    const fetched = helpdesk.fetches.length;
    for (let poll = 0; poll < 4; poll += 1) {
      test.clock.forward(10_000);
      await test.app.sources.syncAll();
    }
    expect(await stale()).toEqual({ [sampleTicket]: false, unassisted: true });
    expect(helpdesk.fetches.length).toBe(fetched);
    // Opening it reads it again.
    await test.as('ana', byReference, { reference: 'unassisted' });
    expect(await stale()).toEqual({ [sampleTicket]: false, unassisted: false });
  });

  it('about hundreds of assisted tickets confirms each of them, and ends what it no longer shows', async () => {
    const { test, helpdesk } = sample;
    const references = Array.from({ length: 450 }, (_, index) => `many-${index}`);
    for (const reference of references) helpdesk.put(reference, { customer: helpdeskCustomer('quill') });
    await test.app.sources.syncAll();
    for (const part of chunks(references, 25)) {
      const opened = part.map(
        (reference, index) => `t${index}: ticketByReference(source: "demo", reference: "${reference}") { id }`,
      );
      expect(told(await test.as('ana', `{ ${opened.join(' ')} }`)).errors).toEqual([]);
    }
    helpdesk.hidden.add('many-321');
    test.clock.forward(10_000);
    await test.app.sources.syncAll();
    const at = test.clock.now().getTime();
    expect(await countOf(test, 'helpdesk_ticket', `reference LIKE 'many-%' AND observed_at = ${at}`)).toBe(450);
    expect(await countOf(test, 'assistance', 'ended_at IS NULL')).toBe(449);
  });

  it('that is about to be too old is asked for anew, so that it outlasts the request and the time to the next poll', async () => {
    const { test, helpdesk } = sample;
    const asked = helpdesk.fetches.length;
    test.clock.forward(14_000);
    await test.as('ana', byReference, { reference: sampleTicket });
    expect(helpdesk.fetches.length).toBe(asked);
    test.clock.forward(2_000);
    await test.as('ana', byReference, { reference: sampleTicket });
    expect(helpdesk.fetches.length).toBe(asked + 1);
  });

  it('about a reassignment counts within the bound even if no poll has seen it: the ticket is asked for again', async () => {
    const { test, helpdesk } = sample;
    const before = told(await test.as('ana', byReference, { reference: sampleTicket }));
    expect(before.data.ticketByReference.customer.link).toBe('VERIFIED');
    helpdesk.put(sampleTicket, { assignee: 'ben', team: 'wallets' });
    test.clock.forward(30_001);
    const after = await test.as('ana', byReference, { reference: sampleTicket });
    expect(told(after)).toEqual({ data: { ticketByReference: null }, errors: [['ticketByReference', 'NOT_FOUND']] });
    expect(await test.events('assistance.end')).toEqual([
      expect.objectContaining({ detail: expect.objectContaining({ reason: 'REASSIGNED' }) }),
    ]);
  });
});

describe('a backfill', () => {
  it('that is interrupted goes on where it stopped, and until it ends nothing counts as polled', async () => {
    const { test, helpdesk } = await start(
      (scripted) => {
        for (let number = 1; number <= 7; number += 1) scripted.put(String(number));
        scripted.batchSize = 2;
        scripted.failBefore = 2;
      },
      { sync: false },
    );
    await expect(test.app.sources.syncAll()).rejects.toMatchObject({ why: 'fault' });
    expect(await countOf(test, 'helpdesk_ticket')).toBe(4);
    const state = () => test.app.database.query("SELECT polled_at, backfilled_at FROM upstream_source WHERE name = 'demo'");
    expect(await state()).toEqual([{ polled_at: null, backfilled_at: null }]);
    await test.app.sources.syncAll();
    expect(helpdesk.backfilled).toEqual(['1', '2', '3', '4', '5', '6', '7']);
    expect(await countOf(test, 'helpdesk_ticket')).toBe(7);
    expect((await state()).map((row) => row.backfilled_at !== null && row.polled_at !== null)).toEqual([true]);
    await test.stop();
  });
});

describe('teams of a helpdesk', () => {
  it('are those of the tokens where the source says so, and otherwise nobody’s', async () => {
    const helpdesk = new ScriptedHelpdesk('desk');
    helpdesk.put('1', { team: 'Card desk', assignee: null });
    helpdesk.put('2', { team: 'cards', assignee: null });
    helpdesk.put('3', { team: 'Elsewhere', assignee: null });
    const test = await TestApp.start({
      connectors: { desk: helpdesk, 'demo-pay': new ScriptedPayments('demo-pay') },
      config: {
        sources: {
          helpdesk: [{ kind: 'rt', name: 'desk', url: 'http://127.0.0.1:9', token: 'unused', teams: { 'Card desk': 'cards' } }],
          payments: [{ kind: 'demo', name: 'demo-pay', helpdesk: 'desk' }],
        },
      },
    });
    const { data } = await test.as('ana', '{ tickets { nodes { reference team } } }');
    const teams = await test.app.database.query('SELECT reference, team FROM helpdesk_ticket ORDER BY reference');
    await test.stop();
    expect(data.tickets.nodes).toHaveLength(2);
    expect(teams).toEqual([
      { reference: '1', team: 'cards' },
      { reference: '2', team: 'cards' },
      { reference: '3', team: 'Elsewhere' },
    ]);
  });
});

describe('the link to a payment customer', () => {
  const linkOf = async (test: TestApp, reference: string) => {
    const { data, errors } = told(await test.as('ana', byReference, { reference }));
    const { link, paymentMethods, transactions } = data.ticketByReference.customer;
    // Without one, and then alone, each part of the payment side says so.
    expect(errors.map(([, code, reason]) => [code, reason])).toEqual(Array(link === 'NONE' ? 3 : 0).fill(['DENIED', 'LINK']));
    return [link, paymentMethods?.map(({ last4 }: { last4: string }) => last4) ?? null, transactions?.totalCount ?? null];
  };
  const nothing = ['NONE', null, null];

  it('is VERIFIED by the payment side’s word, MATCHED by one address, NONE by two or none', async () => {
    const { test } = await start((helpdesk, payments) => {
      helpdesk.put('named', { customer: helpdeskCustomer('named', { email: 'shared@people.example.com' }) });
      helpdesk.put('matched', { customer: helpdeskCustomer('matched', { email: 'Matched@People.example.com' }) });
      helpdesk.put('twins', { customer: helpdeskCustomer('twins', { email: 'twins@people.example.com' }) });
      helpdesk.put('dotted', { customer: helpdeskCustomer('dotted', { email: 'mat.ched@people.example.com' }) });
      helpdesk.put('unknown', { customer: helpdeskCustomer('unknown') });
      helpdesk.put('other-source', { customer: helpdeskCustomer('other-source', { email: null }) });
      payments.put('p1', { helpdeskReference: 'demo:named', email: 'elsewhere@people.example.com' }, [
        card('m1', { last4: '1111' }),
      ]);
      payments.put('p2', { email: 'matched@people.example.com' }, [card('m2', { last4: '2222' })]);
      payments.put('p3', { email: 'twins@people.example.com' }, [card('m3')]);
      payments.put('p4', { email: 'twins@people.example.com' }, [card('m4')]);
      payments.put('p5', { helpdeskReference: 'elsewhere:other-source' }, [card('m5')]);
    });
    const links: Record<string, unknown> = {};
    for (const reference of ['named', 'matched', 'twins', 'dotted', 'unknown', 'other-source'])
      links[reference] = await linkOf(test, reference);
    await test.stop();
    expect(links).toEqual({
      named: ['VERIFIED', ['1111'], 0],
      matched: ['MATCHED', [expect.not.stringContaining('2222')], 0],
      twins: nothing,
      dotted: nothing,
      unknown: nothing,
      'other-source': nothing,
    });
  });

  // U+01F0 has no capital letter of one character: lower case leaves letter and accent apart, until NFC joins them.
  it.each([
    ['helpdesk', 'J\u030c.Doe@People.example.com', '\u01f0.doe@people.example.com'],
    ['payment side', '\u01f0.doe@people.example.com', 'J\u030c.Doe@People.example.com'],
    ['helpdesk, decomposed', 'j\u030c.doe@people.example.com', 'J\u030c.DOE@people.example.com'],
    ['helpdesk, the domain in Unicode', 'kim@bücher.example', 'kim@xn--bcher-kva.example'],
    ['payment side, the domain in Unicode', 'Kim@XN--BCHER-KVA.example', 'kim@Bücher.example'],
  ])('is MATCHED whoever writes the address in which form, and whoever comes first (%s)', async (_who, ours, theirs) => {
    const paymentsFirst = await start((helpdesk, payments) => {
      helpdesk.put('1', { customer: helpdeskCustomer('one', { email: ours }) });
      payments.put('p1', { email: theirs }, [card('m1')]);
    });
    expect((await linkOf(paymentsFirst.test, '1'))[0]).toBe('MATCHED');
    await paymentsFirst.test.stop();

    const { test, payments } = await start((helpdesk) => {
      helpdesk.put('1', { customer: helpdeskCustomer('one', { email: ours }) });
    });
    expect(await linkOf(test, '1')).toEqual(nothing);
    payments.put('p1', { email: theirs }, [card('m1')]);
    test.clock.forward(10 * minute);
    const [{ id } = { id: '' }] = await test.app.database.query<{ id: string }>('SELECT id FROM helpdesk_customer');
    Reflect.get(Reflect.get(test.app.sources, 'reading'), 'recentlyRefreshed').clear();
    expect(await test.app.sources.refreshPayments(id)).toBe(true);
    expect((await linkOf(test, '1'))[0]).toBe('MATCHED');
    await test.stop();
  });

  it('never moves to a victim because an agent gives a customer the victim’s address', async () => {
    const { test, helpdesk } = await start((scripted, payments) => {
      scripted.put('1', { customer: helpdeskCustomer('accomplice', { email: 'accomplice@people.example.com' }) });
      scripted.put('2', { customer: helpdeskCustomer('with-payments', { email: 'with@people.example.com' }) });
      scripted.put('3', { customer: helpdeskCustomer('named', { email: 'named@people.example.com' }) });
      payments.put('victim', { email: 'victim@people.example.com' }, [card('m1', { last4: '9999' })]);
      payments.put('with', { email: 'with@people.example.com' }, [card('m2', { last4: '2222' })]);
      payments.put('named', { helpdeskReference: 'demo:named' }, [card('m3', { last4: '3333' })]);
    });
    expect((await linkOf(test, '2'))[0]).toBe('MATCHED');
    test.clock.forward(10 * minute);
    const victims = { email: 'victim@people.example.com' };
    // The connector doesn't always know who edited an address: the link doesn't rest on that.
    helpdesk.put('1', { customer: helpdeskCustomer('accomplice', victims) });
    helpdesk.put('2', { customer: helpdeskCustomer('with-payments', victims) });
    helpdesk.put('3', { customer: helpdeskCustomer('named', victims) });
    await test.app.sources.syncAll();
    test.clock.forward(10 * minute);
    expect([await linkOf(test, '1'), await linkOf(test, '2'), await linkOf(test, '3')]).toEqual([
      nothing,
      nothing,
      ['VERIFIED', ['3333'], 0],
    ]);
    // Nor by way of the old address: an edited one proves nothing any more.
    helpdesk.put('2', { customer: helpdeskCustomer('with-payments', { email: 'with@people.example.com' }) });
    await test.app.sources.syncAll();
    test.clock.forward(10 * minute);
    await test.app.sources.refreshTicket('demo', '2');
    const [{ id } = { id: '' }] = await test.app.database.query<{ id: string }>(
      "SELECT id FROM helpdesk_customer WHERE reference = 'with-payments'",
    );
    Reflect.get(Reflect.get(test.app.sources, 'reading'), 'recentlyRefreshed').clear();
    await test.app.sources.refreshPayments(id);
    const [row] = await test.app.database.query('SELECT link FROM helpdesk_customer WHERE id = ?', [id]);
    expect(row).toEqual({ link: 'NONE' });
    await test.stop();
  });

  it('ends when a second candidate appears, and when the payment customer is gone', async () => {
    const { test, payments } = await start((helpdesk, scripted) => {
      helpdesk.put('1', { customer: helpdeskCustomer('one', { email: 'one@people.example.com' }) });
      helpdesk.put('2', { customer: helpdeskCustomer('two') });
      scripted.put('p1', { email: 'one@people.example.com' }, [card('m1')]);
      scripted.put('p2', { helpdeskReference: 'demo:two' }, [card('m2', { last4: '2222' })]);
    });
    expect([(await linkOf(test, '1'))[0], (await linkOf(test, '2'))[0]]).toEqual(['MATCHED', 'VERIFIED']);
    test.clock.forward(10 * minute);
    payments.put('p3', { email: 'one@people.example.com' });
    payments.put('p1', { email: 'one@people.example.com' }, [card('m1')]);
    payments.remove('p2');
    await test.app.sources.syncAll();
    expect([await linkOf(test, '1'), await linkOf(test, '2')]).toEqual([nothing, nothing]);
    expect(await countOf(test, 'payment_method', "status <> 'REMOVED' AND last4 = '2222'")).toBe(0);
    await test.stop();
  });

  it('is not decided while one payment source can’t be asked', async () => {
    const { test, helpdesk, payments } = await start((scripted, provider) => {
      scripted.put('1', { customer: helpdeskCustomer('one', { email: 'one@people.example.com' }) });
      provider.put('p1', { email: 'one@people.example.com' }, [card('m1')]);
      provider.put('p2', { email: 'new@people.example.com' }, [card('m2')]);
    });
    payments.goDown();
    helpdesk.put('2', { customer: helpdeskCustomer('new', { email: 'new@people.example.com' }) });
    await expect(test.app.sources.syncAll()).rejects.toMatchObject({ source: 'demo-pay' });
    expect(await linkOf(test, '2')).toEqual(nothing);
    expect((await linkOf(test, '1'))[0]).toBe('MATCHED');
    payments.comeBack();
    await test.app.sources.syncAll();
    expect((await linkOf(test, '2'))[0]).toBe('MATCHED');
    await test.stop();
  });
});

describe('a source that is down', () => {
  let sample: Awaited<ReturnType<typeof startSample>>;
  beforeEach(async () => {
    sample = await startSample();
  });
  afterEach(() => sample.test.stop());
  const both = `query ($reference: String!) {
    viewer { mfa }
    ticketByReference(source: "demo", reference: $reference) {
      reference status subject freshness { stale } customer { displayName } messages { totalCount }
    }
  }`;
  const staleTicket = {
    data: {
      viewer: { mfa: true },
      ticketByReference: {
        reference: sampleTicket,
        status: 'OPEN',
        subject: null,
        freshness: { stale: true },
        customer: null,
        messages: null,
      },
    },
    errors: [
      ['ticketByReference.subject', 'DENIED', 'STALE'],
      ['ticketByReference.customer', 'DENIED', 'STALE'],
      ['ticketByReference.messages', 'DENIED', 'STALE'],
    ],
  };

  it.each([
    ['before anything was granted', false],
    ['though an assistance is live', true],
  ])('shows an agent’s own ticket as stale beyond the bound and authorizes nothing by it, %s', async (_, granted) => {
    const { test, helpdesk } = sample;
    if (granted) await test.as('ana', both, { reference: sampleTicket });
    const [{ id } = { id: '' }] = await test.app.database.query<{ id: string }>('SELECT id FROM helpdesk_customer');
    helpdesk.goDown();
    test.clock.forward(30_001);
    expect(told(await test.as('ana', both, { reference: sampleTicket }))).toEqual(staleTicket);
    expect(told(await test.as('ana', 'query ($id: ID!) { customer(id: $id) { displayName } }', { id }))).toEqual({
      data: { customer: null },
      errors: [['customer', 'NOT_FOUND']],
    });
    const list = told(await test.as('ana', '{ tickets { nodes { reference customer { displayName } } } }'));
    expect(list.data).toEqual({ tickets: { nodes: [{ reference: sampleTicket, customer: null }] } });
    const request =
      'mutation ($id: ID!) { beginAssistance(input: { ticketId: $id, purpose: OTHER, reason: "A good reason" }) { state } }';
    const supervisors = told(await test.as('sam', request, { id: await ticketIdOf(test, sampleTicket) }));
    expect(supervisors).toEqual({ data: null, errors: [['beginAssistance', 'DENIED', 'STALE']] });
    helpdesk.comeBack();
    const back = told(await test.as('ana', both, { reference: sampleTicket }));
    expect([back.errors, back.data.ticketByReference.freshness, back.data.ticketByReference.messages]).toEqual([
      [],
      { stale: false },
      { totalCount: 1 },
    ]);
  });

  it('costs a missing record its own path, with a code, whether the record exists or not', async () => {
    const { test, helpdesk } = sample;
    helpdesk.put('2', { assignee: 'ben', team: 'wallets' });
    await test.app.sources.syncAll();
    helpdesk.goDown();
    const two = `query ($reference: String!) {
      viewer { mfa }
      missing: ticketByReference(source: "demo", reference: $reference) { reference }
      mine: ticketByReference(source: "demo", reference: "ZQREF-1") { reference customer { link } }
    }`;
    const absent = await test.as('ana', two, { reference: '999' });
    expect(told(absent)).toEqual({
      data: { viewer: { mfa: true }, missing: null, mine: { reference: sampleTicket, customer: { link: 'VERIFIED' } } },
      errors: [['missing', 'UPSTREAM_UNAVAILABLE']],
    });
    // Ben's ticket is stored; Ana can't tell.
    expect(await test.as('ana', two, { reference: '2' })).toEqual(absent);
  });

  it('on the payment side leaves what is stored, marked stale, and no failure', async () => {
    const { test, payments } = sample;
    payments.goDown();
    test.clock.forward(301_000);
    expect(told(await test.as('ana', byReference, { reference: sampleTicket }))).toEqual({
      data: {
        ticketByReference: {
          assignee: { displayName: staff('ana').displayName },
          team: 'cards',
          status: 'OPEN',
          freshness: { stale: false },
          customer: {
            link: 'VERIFIED',
            paymentMethods: [{ last4: '4242' }, { last4: '0005' }],
            transactions: { totalCount: 3 },
            paymentsFreshness: { stale: true },
          },
        },
      },
      errors: [],
    });
    payments.comeBack();
    const { data } = await test.as('ana', byReference, { reference: sampleTicket });
    expect(data.ticketByReference.customer.paymentsFreshness).toEqual({ stale: false });
  });
});
