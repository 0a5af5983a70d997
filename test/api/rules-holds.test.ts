import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { rowsWithoutEvent } from '../../src/cli/rows-without-event';
import type { Config } from '../../src/config/load';
import { demoTickets } from '../../src/development/merchant/cast';
import { spentSenders } from '../../src/features/rules/senders-holds';
import { recordSignals } from '../../src/features/signals/recorder';
import type { Signal } from '../../src/risk/signal';
import { TestApp } from '../support/app';
import { type Payer, Pipeline } from '../support/decisions';
import { subjectsOf } from '../support/holds';
import { rulesWithModes } from '../support/rules-file';

const minute = 60_000;
const day = 86_400_000;

describe('rules that are on, over holds:', () => {
  let test: TestApp;
  const folder = mkdtempSync(join(tmpdir(), 'counterfoil-rules-holds-'));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  afterEach(async () => {
    expect((await rowsWithoutEvent(test.app.database)).findings).toEqual([]);
    await test.stop();
  });

  const start = async (on: string | null, config: Partial<Config> = {}) => {
    const rulesFile = join(folder, 'rules.yaml');
    writeFileSync(rulesFile, rulesWithModes(on === null ? {} : { [on]: 'ON' }));
    test = await TestApp.start({ config: { rulesFile, ...config } });
    await test.app.signals.service.turn();
  };
  let made = 0;
  const signal = (type: string, subjects: Signal['subjects'], ago: number, facts: Signal['facts'] = {}): Signal => {
    made += 1;
    const occurredAt = new Date(test.clock.now().getTime() - ago);
    return { source: 'shop', id: `told-${made}`, type, occurredAt, subjects, facts };
  };
  const receive = async (signals: readonly Signal[]) => {
    await test.app.database.system('signals', 'signal.receive', async (change) => {
      await recordSignals(change, signals);
      change.record('signal.receive', { subject: { type: 'SignalSource', id: 'shop' }, detail: { signals: signals.length } });
    });
    await test.app.signals.service.turn();
  };
  const own = async (): Promise<{ customer: string; ticket: string }> => {
    const [row] = await test.app.database.query<{ customer: string; ticket: string }>(
      'SELECT customer_id AS customer, id AS ticket FROM helpdesk_ticket WHERE reference = ?',
      [demoTickets.own.reference],
    );
    return row as { customer: string; ticket: string };
  };
  const holds = async () => {
    const rows = await test.app.database.query<Record<string, unknown>>(
      'SELECT id, state, cause, subject_kind, ticket_id, customer_id, customer_ids, email_domain, rule, expires_at FROM payment_hold ORDER BY id',
    );
    const effects = await test.app.database.query<{ hold_id: string; kind: string }>(
      'SELECT hold_id, kind FROM payment_hold_effect ORDER BY kind',
    );
    return rows.map(({ id, ...row }) => ({
      ...row,
      effects: effects.flatMap(({ hold_id, kind }) => (hold_id === id ? kind : [])),
    }));
  };
  const states = async () => (await holds()).map((each) => (each as { state?: unknown }).state);
  const done = async (rule: string) =>
    (await test.events('rule.verdict'))
      .map(({ detail }) => detail as { rule: string; done: readonly string[] })
      .flatMap((each) => (each.rule === rule ? [each.done] : []));
  const usual = (customer: string, ago: number) =>
    signal('ticket.contact', { customer, device: 'dev_own' }, ago, { country: 'IE' });
  /** An account is recovered abroad on a new telephone, and its address changed with it. */
  const takenOver = (customer: string) => [
    usual(customer, 20 * day),
    signal('account.recovery', { customer, device: 'dev_other' }, 20 * minute, { country: 'KE' }),
    signal('credential.changed', { customer, device: 'dev_other' }, 10 * minute, { country: 'KE', change: 'shipping-address' }),
  ];
  /** Five who are new at one domain pay on one evening from as many countries. */
  const burst = (known: string, of = '') => {
    const since = { customerSince: new Date(test.clock.now().getTime() - day) };
    return ['ES', 'FR', 'IT', 'PT', 'DE'].map((country, index) =>
      signal(
        'payment.attempt.declined',
        { customer: index === 4 ? known : `stranger-${of}${index}`, emailDomain: 'burst.example', card: `burst-${of}${index}` },
        (6 - index) * minute,
        { ...since, country },
      ),
    );
  };

  it('propose one on the customer after a recovery, which stops nothing before somebody consents', async () => {
    await start('recovery-then-payment');
    const { customer, ticket } = await own();
    await receive(takenOver(customer));
    expect(await done('recovery-then-payment')).toEqual([expect.arrayContaining(['alert', 'propose-hold'])]);
    expect(await holds()).toEqual([
      expect.objectContaining({
        state: 'PROPOSED',
        cause: 'RULE',
        subject_kind: 'CUSTOMER',
        ticket_id: ticket,
        customer_id: customer,
        rule: 'recovery-then-payment',
        effects: ['BLOCK_NEW', 'DEFER_CAPTURE', 'HOLD_ORDER'],
      }),
    ]);
    const of = await subjectsOf(test, [customer]);
    expect(await test.app.services.holds.standing(test.app.database, of)).toEqual([]);
    // The same once more within the window proposes no other.
    test.clock.forward(minute);
    await receive([
      signal('credential.changed', { customer, device: 'dev_other' }, 0, { country: 'KE', change: 'billing-address' }),
    ]);
    expect(await holds()).toHaveLength(1);
  });

  it('hold orders at once where a change is gravely against the history', async () => {
    await start('change-against-history');
    const { customer } = await own();
    const known = [40, 30, 20].map((days) => usual(customer, days * day));
    await receive([...known, ...takenOver(customer).slice(1)]);
    expect(await done('change-against-history')).toEqual([['alert', 'high-risk-update', 'hold-orders']]);
    expect(await holds()).toEqual([
      expect.objectContaining({ state: 'PLACING', effects: ['HOLD_ORDER'], customer_id: customer, subject_kind: 'CUSTOMER' }),
    ]);
    const of = await subjectsOf(test, [customer]);
    expect(await test.app.services.holds.standing(test.app.database, of)).toHaveLength(1);
    const event = (await test.events('hold.place')).at(-1) as { detail: { restsOn: readonly string[]; until: string } };
    expect(event.detail.restsOn).toEqual([expect.stringMatching(/^shop\//)]);
    expect(Date.parse(event.detail.until) - test.clock.now().getTime()).toBe(day);
  });

  it('propose what a sender has had placed as often in a day as it may, and tell the operator', async () => {
    const shop = { name: 'shop', secrets: [Buffer.alloc(32, 7)], lateHours: 6, holdsADay: 1 };
    await start('change-against-history', { signals: { sources: [shop] } });
    const { customer } = await own();
    const [other, third] = await test.app.database.query<{ id: string }>(
      'SELECT DISTINCT customer_id AS id FROM helpdesk_ticket WHERE customer_id <> ? AND customer_id IS NOT NULL ORDER BY id LIMIT 2',
      [customer],
    );
    // Enough of each is known, whatever the customers are that come first.
    const known = (of: string) => [...[40, 30].map((days) => usual(of, days * day)), ...takenOver(of)];
    await receive(known(customer));
    // Ids of one moment stand in no order.
    test.clock.forward(1);
    await receive(known(other?.id as string));
    expect(await states()).toEqual(['PLACING', 'PROPOSED']);
    expect(test.logLines.filter((line) => line.includes('holdsADay'))).toHaveLength(1);
    const [, { id: proposed } = { id: '' }] = await test.app.database.query<{ id: string }>(
      'SELECT id FROM payment_hold ORDER BY id',
    );
    expect(await test.events('signal.holds-spent')).toEqual([
      expect.objectContaining({ subject: { type: 'Hold', id: proposed }, detail: { source: 'shop', most: 1 } }),
    ]);
    expect(await spentSenders(test.app.database, test.clock.now())).toEqual(new Map([['shop', 1]]));
    test.clock.forward(day + 1);
    await receive(known(third?.id as string));
    expect((await states()).at(-1)).toBe('PLACING');
    expect(await spentSenders(test.app.database, test.clock.now())).toEqual(new Map());
  });

  it('propose one on a group with its mail domain, once for all of them', async () => {
    await start('domain-burst');
    const { customer } = await own();
    await receive(burst(customer));
    expect((await done('domain-burst')).flat().filter((each) => each === 'propose-group-hold')).toHaveLength(1);
    expect(await holds()).toEqual([
      expect.objectContaining({
        state: 'PROPOSED',
        subject_kind: 'GROUP',
        ticket_id: null,
        customer_id: customer,
        customer_ids: JSON.stringify([customer]),
        email_domain: 'burst.example',
        effects: ['HOLD_ORDER', 'REVIEW'],
      }),
    ]);
    await receive(burst(customer, 'again-'));
    expect(await holds()).toHaveLength(1);
  });

  it('ask for a step-up of whoever made them fire, at their next payment, and once', async () => {
    await start('card-testing');
    const pipeline = new Pipeline(test);
    const [payer, other] = (await pipeline.payers(2)) as [Payer, Payer];
    const tries = (customer: string, of: string) =>
      Array.from({ length: 6 }, (_, index) =>
        signal('payment.attempt.declined', { customer, card: `card-${of}${index}` }, (7 - index) * minute),
      );
    await receive(tries(payer.customerId, ''));
    expect((await done('card-testing')).flat().filter((each) => each === 'challenge')).toHaveLength(1);
    expect(await pipeline.decide({ customer: payer.reference })).toMatchObject({ verdict: 'STEP_UP' });
    expect(await pipeline.decide({ customer: other.reference })).toMatchObject({ verdict: 'CLEAR' });
    const opened = await test.events('demand.open');
    expect(opened.map(({ detail }) => (detail as { rule: string }).rule)).toEqual(['card-testing']);
    // Whom signals name and nobody knows here is challenged where they turn up.
    await receive(tries('stranger', 'their-'));
    expect(await test.events('demand.open')).toHaveLength(2);
  });

  it('say nothing of holds while they only look on', async () => {
    await start(null);
    const { customer } = await own();
    await receive([...takenOver(customer), ...burst(customer)]);
    expect(await done('recovery-then-payment')).toEqual([[]]);
    expect(await holds()).toEqual([]);
  });
});
