import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { demoTickets } from '../../src/development/merchant/cast';
import { ownSource } from '../../src/features/signals/own-source';
import { recordSignals } from '../../src/features/signals/recorder';
import type { Signal } from '../../src/risk/signal';
import { countOf, told } from '../support/answers';
import { TestApp } from '../support/app';
import { tamper } from '../support/audit-log';
import { rulesWithModes } from '../support/rules-file';

const minute = 60_000;
describe('rules in force', () => {
  let test: TestApp;
  const folder = mkdtempSync(join(tmpdir(), 'counterfoil-rules-'));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  afterEach(() => test.stop());

  const start = async (modes: Readonly<Record<string, string>> = {}) => {
    const rulesFile = join(folder, 'rules.yaml');
    writeFileSync(rulesFile, rulesWithModes(modes));
    test = await TestApp.start({ config: { rulesFile } });
    // What the first sync told of months ago.
    await test.app.signals.service.turn();
  };
  let made = 0;
  const signal = (type: string, subjects: Signal['subjects'], ago = 0, facts: Signal['facts'] = {}): Signal => {
    made += 1;
    return {
      source: 'shop',
      id: `ana@example.com-${made}`,
      type,
      occurredAt: new Date(test.clock.now().getTime() - ago),
      subjects,
      facts,
    };
  };
  const receive = async (signals: readonly Signal[]) => {
    await test.app.database.system('signals', 'signal.receive', async (change) => {
      await recordSignals(change, signals);
      change.record('signal.receive', {
        subject: { type: 'SignalSource', id: 'shop' },
        detail: { signals: signals.length },
      });
    });
    await test.app.signals.service.turn();
  };
  const customerOf = async (reference: string): Promise<{ id: string; ticket: string }> => {
    const [row] = await test.app.database.query<{ id: string; ticket: string }>(
      'SELECT customer_id AS id, id AS ticket FROM helpdesk_ticket WHERE reference = ?',
      [reference],
    );
    return row as { id: string; ticket: string };
  };
  /** Cards that were never seen before, one after the other. */
  const cards = (customer: string | undefined, count: number, ago = 0) =>
    Array.from({ length: count }, (_, index) =>
      signal(
        'payment.attempt.declined',
        { customer, card: `card-${made}-${index}`, device: 'dev_other' },
        ago + (count - index) * minute,
        {
          country: 'DE',
          declineCode: 'incorrect_cvc',
        },
      ),
    );
  /** One member of staff was shown thirty customers within a quarter of an hour. */
  const seen = (staff: string, source: string, count = 30, of = ''): readonly Signal[] =>
    Array.from({ length: count }, (_, index) => ({
      ...signal(
        'staff.disclosure',
        { staff, team: 'cards', customer: `cus_${of}${index}`, ticket: `tkt_${of}${index}` },
        (count - index) * (of === '' ? 30_000 : 1_000),
      ),
      source,
    }));
  const verdicts = async (): Promise<readonly Readonly<Record<string, unknown>>[]> =>
    (await test.events('rule.verdict')).map(({ detail }) => detail as Readonly<Record<string, unknown>>);

  it('of a fresh installation record what they would have done, and do nothing', async () => {
    await start();
    const { id } = await customerOf(demoTickets.own.reference);
    await receive(cards(id, 6));
    const found = (await verdicts()).filter(({ rule }) => rule === 'card-testing');
    expect(found[0]).toMatchObject({ mode: 'SHADOW', late: false, done: [], version: expect.any(Number) });
    expect(await countOf(test, 'risk_alert')).toBe(0);
  });

  it('raise one alert for whoever has the ticket, once they are on, and say on what it rests', async () => {
    await start({ 'card-testing': 'ON' });
    const { id } = await customerOf(demoTickets.own.reference);
    await receive(cards(id, 6));
    await receive(cards(id, 2));
    const [first] = (await verdicts()).filter(({ rule }) => rule === 'card-testing');
    expect(first).toMatchObject({ mode: 'ON', done: ['alert', 'challenge'] });
    // By a digest: what a sender calls its signals may be anything.
    expect(first?.signals).toEqual(expect.arrayContaining([expect.stringMatching(/^shop\/[\w-]{22}$/)]));
    const leaves = await test.app.database.query<{ leaf: Buffer }>('SELECT leaf FROM audit_event');
    expect(leaves.map(({ leaf }) => leaf.toString('utf8')).join('')).not.toContain('ana@example.com');
    expect(await countOf(test, 'risk_alert', "state = 'OPEN'")).toBe(1);
    await test.as('ana', `{ ticketByReference(source: "demo", reference: "${demoTickets.own.reference}") { subject } }`);
    const { data, errors } = told(await test.as('ana', '{ alerts(first: 5) { nodes { rule state reasons { code count } } } }'));
    expect(errors).toEqual([]);
    expect(data.alerts.nodes).toEqual([
      {
        rule: 'CARD_TESTING',
        state: 'OPEN',
        reasons: expect.arrayContaining([
          expect.objectContaining({ code: 'CARDS' }),
          expect.objectContaining({ code: 'DECLINES' }),
        ]),
      },
    ]);
  });

  it('only alert where something came more than an hour late, and say nothing of what is older than a week', async () => {
    await start({ 'card-testing': 'ON' });
    const [late, old] = [await customerOf(demoTickets.own.reference), await customerOf(demoTickets.matched.reference)];
    await receive([...cards(late.id, 6, 120 * minute), ...cards(old.id, 6, 8 * 24 * 60 * minute)]);
    const found = (await verdicts()).filter(({ rule }) => rule === 'card-testing');
    expect(found.length).toBeGreaterThan(0);
    for (const each of found) expect(each).toMatchObject({ late: true, effects: ['alert'] });
    expect(await countOf(test, 'risk_alert', 'customer_id = ?', old.id)).toBe(0);
  });

  it('tell of a customer what they did, and of others only that they are five or more', async () => {
    await start({ 'domain-burst': 'ON' });
    const { id } = await customerOf(demoTickets.own.reference);
    const since = { customerSince: new Date(test.clock.now().getTime() - 24 * 60 * minute) };
    const countries = ['ES', 'FR', 'IT', 'PT', 'DE'];
    await receive(
      countries.map((country, index) =>
        signal(
          `payment.attempt.${index === 4 ? 'succeeded' : 'declined'}`,
          { customer: index === 4 ? id : `stranger-${index}`, emailDomain: 'burst.example', card: `burst-${index}` },
          (6 - index) * minute,
          { ...since, country },
        ),
      ),
    );
    const rows = await test.app.database.query<{ reasons: string; signals: string }>('SELECT reasons, signals FROM risk_alert');
    expect(rows).toHaveLength(1);
    const reasons = JSON.parse(String(rows[0]?.reasons)) as { code: string; count: number; countries: string[] }[];
    expect(reasons.map(({ code, count, countries: of }) => [code, count, of])).toEqual([
      ['CUSTOMERS', 5, []],
      ['ATTEMPTS', 1, []],
      ['COUNTRIES', 1, ['DE']],
    ]);
    expect(JSON.parse(String(rows[0]?.signals))).toHaveLength(1);
  });

  it('alert once about a customer for whatever payments are invented', async () => {
    await start({ 'provider-deadline': 'ON' });
    const { id } = await customerOf(demoTickets.own.reference);
    const before = await countOf(test, 'risk_alert');
    await receive(
      Array.from({ length: 30 }, (_, index) => signal('payment.dispute', { customer: id, payment: `made-up-${index}` })),
    );
    expect(await countOf(test, 'risk_alert')).toBe(before + 1);
  });

  it('about staff put a brake on whom they are about, and tell no holder of a ticket', async () => {
    await start({ 'agent-breadth': 'ON' });
    const { data } = await test.as('ana', '{ viewer { id } }');
    const staff = data.viewer.id as string;
    await receive(seen(staff, ownSource));
    expect((await verdicts()).map(({ rule, done }) => [rule, done])).toContainEqual(['agent-breadth', ['brake']]);
    const { data: listed } = await test.as('ada', '{ brakes { nodes { actorId level rule state } } }');
    expect(listed.brakes.nodes).toEqual([{ actorId: staff, level: 'READS', rule: 'agent-breadth', state: 'ACTIVE' }]);
    expect(await countOf(test, 'risk_alert')).toBe(0);
    const denied = await test.as(
      'ana',
      `{ ticketByReference(source: "demo", reference: "${demoTickets.own.reference}") { subject } }`,
    );
    expect(told(denied).errors.map(([, code, why]) => [code, why])).toEqual([['DENIED', 'BRAKE']]);
  });

  it('about staff stop nobody on what others tell of them', async () => {
    await start({ 'agent-breadth': 'ON' });
    const { data } = await test.as('ana', '{ viewer { id } }');
    await receive(seen(data.viewer.id, 'shop'));
    expect((await verdicts()).map(({ rule, done }) => [rule, done])).toContainEqual(['agent-breadth', []]);
    expect(await countOf(test, 'staff_brake')).toBe(0);
  });

  it('about staff stop them again for what they look at after two people released them, and not for what they had before', async () => {
    await start({ 'agent-breadth': 'ON' });
    const staff = (await test.as('ana', '{ viewer { id } }')).data.viewer.id as string;
    await receive(seen(staff, ownSource));
    const [brake] = await test.app.database.query<{ id: string }>('SELECT id FROM staff_brake');
    for (const who of ['ada', 'oz'])
      await test.as(who, `mutation { releaseBrake(id: "${brake?.id}", reason: "It was the stocktaking week") { state } }`);
    const active = () => countOf(test, 'staff_brake', "state = 'ACTIVE'");
    expect(await active()).toBe(0);
    test.clock.forward(5 * minute);
    await receive(seen(staff, ownSource, 10, 'a-'));
    expect(await active()).toBe(0);
    await receive(seen(staff, ownSource, 15, 'b-'));
    expect(await active()).toBe(1);
    // What goes on is said once.
    const before = (await verdicts()).length;
    await receive(seen(staff, ownSource, 10, 'c-'));
    expect(await verdicts()).toHaveLength(before);
  });

  it('that are turned on do what follows of what they only recorded before', async () => {
    await start({ 'agent-breadth': 'SHADOW', 'card-testing': 'SHADOW' });
    const staff = (await test.as('ana', '{ viewer { id } }')).data.viewer.id as string;
    const { id } = await customerOf(demoTickets.own.reference);
    await receive([...seen(staff, ownSource), ...cards(id, 6)]);
    writeFileSync(join(folder, 'rules.yaml'), rulesWithModes({ 'agent-breadth': 'ON', 'card-testing': 'ON' }));
    test.clock.forward(minute);
    await test.restart();
    await receive([...seen(staff, ownSource, 2, 'a-'), ...cards(id, 2)]);
    expect(await countOf(test, 'staff_brake')).toBe(1);
    expect(await countOf(test, 'risk_alert', 'customer_id = ?', id)).toBe(1);
  });

  it('say what was done: nothing, of somebody who isn’t known here', async () => {
    await start({ 'agent-breadth': 'ON' });
    await receive(seen('stf_nobody', ownSource));
    expect((await verdicts()).flatMap(({ rule, done }) => (rule === 'agent-breadth' ? [done] : []))).toEqual([[]]);
    expect(await countOf(test, 'staff_brake')).toBe(0);
  });

  it('alert about each customer that something shared is found of, also behind one who isn’t known', async () => {
    await start({ 'card-testing': 'ON' });
    const [one, other] = [await customerOf(demoTickets.own.reference), await customerOf(demoTickets.matched.reference)];
    await receive([...cards(undefined, 6), ...cards(one.id, 2), ...cards(other.id, 2), ...cards(one.id, 1)]);
    for (const { id } of [one, other]) expect(await countOf(test, 'risk_alert', 'customer_id = ?', id)).toBe(1);
    const found = (await verdicts()).filter(({ rule }) => rule === 'card-testing');
    expect(found.map(({ done }) => String(done)).sort()).toEqual(['', 'alert,challenge', 'alert,challenge']);
  });

  it('find one thing of a customer whom senders of both sides tell of, each by a name of their own', async () => {
    await start({ 'card-testing': 'ON' });
    const { id } = await customerOf(demoTickets.own.reference);
    const [row] = await test.app.database.query<{ payer: string }>(
      'SELECT payment_customer_id AS payer FROM helpdesk_customer WHERE id = ?',
      [id],
    );
    const mixed = [...cards(id, 4), ...cards(row?.payer, 4), ...cards(id, 1), ...cards(row?.payer, 1)];
    await receive(mixed.map((each) => ({ ...each, subjects: { ...each.subjects, device: `dev_${each.id}` } })));
    const found = (await verdicts()).filter(({ rule }) => rule === 'card-testing');
    expect(found.map(({ done }) => done)).toEqual([['alert', 'challenge']]);
    expect(await countOf(test, 'risk_alert', "customer_id = ? AND rule = 'card-testing'", id)).toBe(1);
  });

  it('go on where what was said before can’t be read any more', async () => {
    await start({ 'card-testing': 'ON' });
    const { id } = await customerOf(demoTickets.own.reference);
    await receive(cards(id, 6));
    await tamper(test.app.database, "UPDATE audit_event SET leaf = '{}' WHERE action = 'rule.verdict'");
    await receive(cards(id, 1));
    expect((await test.app.signals.service.progress()).unread.get('rules')).toBe(0);
  });

  it('judge each signal once, however many processes read the feed', async () => {
    await start({ 'card-testing': 'ON' });
    const { id } = await customerOf(demoTickets.own.reference);
    await test.app.database.system('signals', 'signal.receive', async (change) => {
      await recordSignals(change, cards(id, 6));
      change.record('signal.receive', { subject: { type: 'SignalSource', id: 'shop' }, detail: { signals: 6 } });
    });
    await Promise.all(Array.from({ length: 4 }, () => test.app.signals.service.turn()));
    await test.app.signals.service.turn();
    const found = (await verdicts()).filter(({ rule }) => rule === 'card-testing');
    expect(found).toHaveLength(1);
    expect(await countOf(test, 'risk_alert')).toBe(1);
  });

  it('go on where somebody tries more cards than a statement could ask about', async () => {
    await start({ 'card-testing': 'ON' });
    const [victim, next] = [await customerOf(demoTickets.own.reference), await customerOf(demoTickets.matched.reference)];
    // What was told more than a week later nobody judges: the last fifty are, each with all others within its hour.
    const week = 7 * 24 * 60 * minute;
    await receive(
      Array.from({ length: 700 }, (_, index) =>
        signal(
          'payment.attempt.declined',
          { customer: victim.id, card: `many-${index}`, device: 'dev_many' },
          (index < 650 ? week + minute : week) - index,
          { country: 'DE' },
        ),
      ),
    );
    await receive(cards(next.id, 6));
    expect(await countOf(test, 'risk_alert', "customer_id = ? AND rule = 'card-testing'", victim.id)).toBe(1);
    expect(await countOf(test, 'risk_alert', "customer_id = ? AND rule = 'card-testing'", next.id)).toBe(1);
    expect(test.logLines.filter((line) => line.includes('could not be asked'))).toEqual([]);
  });

  it('are shown with their thresholds, and their coming into force is an event', async () => {
    await start({ 'card-testing': 'ON' });
    const { data, errors } = told(
      await test.as('pia', '{ riskRules { name mode effects thresholds { name value } explanation } }'),
    );
    expect(errors).toEqual([]);
    expect(data.riskRules).toHaveLength(14);
    expect(data.riskRules.find(({ name }: { name: string }) => name === 'CARD_TESTING')).toMatchObject({
      mode: 'ON',
      thresholds: expect.arrayContaining([{ name: expect.any(String), value: expect.any(Number) }]),
      explanation: expect.stringMatching(/^It fires when .*\.$/),
    });
    expect(told(await test.as('ana', '{ riskRules { name } }')).errors).toEqual([['riskRules', 'DENIED', 'ROLE']]);
    const [event] = await test.events('rules.in-force');
    expect(event?.detail).toMatchObject({ on: ['card-testing'] });
    test.clock.forward(minute);
    await test.restart();
    expect(await test.events('rules.in-force')).toHaveLength(1);
  });

  it('that are wrong stop the start, with the path', async () => {
    const rulesFile = join(folder, 'rules.yaml');
    writeFileSync(rulesFile, rulesWithModes({}).replace('mode: SHADOW', 'mode: PERHAPS'));
    await expect(TestApp.start({ config: { rulesFile } })).rejects.toThrow(/mode/);
    await start();
  });
});
