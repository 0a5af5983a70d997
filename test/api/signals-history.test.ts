import type { Database } from '../../src/db/database';
import { takePlaces } from '../../src/db/order';
import { feedOrder } from '../../src/features/signals/feed';
import { SignalHistory } from '../../src/features/signals/history';
import { recordSignals } from '../../src/features/signals/recorder';
import { subjectDigest } from '../../src/features/signals/subjects';
import { type DaySummary, summariesOf, type Window, type WindowSubject } from '../../src/risk/history';
import type { Signal, SignalType } from '../../src/risk/signal';
import { StreamHistory } from '../../src/risk/stream-history';
import { TestApp } from '../support/app';
import { tamper } from '../support/audit-log';
import { engine, temporaryDatabase } from '../support/database';

const day = 86_400_000;
const start = Date.UTC(2026, 8, 1, 9);
const types = ['payment.attempt.declined', 'payment.attempt.succeeded', 'credential.changed', 'staff.reply'] as const;
const askable = ['customer', 'card', 'device', 'emailDomain', 'ticket', 'staff', 'team'] as const;
const subjects = [...askable, 'ip', 'order', 'payment'] as const;

/** Numbers that look random and are the same each time. */
const numbers = (seed: number) => () => {
  seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0;
  return seed / 2 ** 32;
};

const tell = async (database: Database, signals: readonly Signal[]): Promise<void> => {
  await database.system('sync', 'source.ingest-payments', async (change) => {
    await recordSignals(change, signals);
    change.record('source.ingest-payments', { subject: { type: 'Source', id: 'shop' }, detail: { customers: 1 } });
  });
  while ((await takePlaces(database, feedOrder)) > 0);
};

describe('the past', () => {
  let database: Database;
  let remove: () => Promise<void>;
  const told: Signal[] = [];
  const random = numbers(7);
  const whole = (below: number) => Math.floor(random() * below);
  beforeAll(async () => {
    ({ database, remove } = await temporaryDatabase());
    for (let index = 0; index < 900; index += 1) {
      const isPaid = random() < 0.7;
      told.push({
        source: random() < 0.5 ? 'shop' : 'till',
        id: `e${whole(100_000)}-${index}`,
        type: types[whole(types.length)] as SignalType,
        // Some at one instant, and not in the order in which they came.
        occurredAt: new Date(start - whole(60) * day - whole(20) * 3_600_000),
        subjects: Object.fromEntries(subjects.flatMap((name) => (random() < 0.6 ? [[name, `${name}-${whole(3)}`]] : []))),
        facts: {
          ...(random() < 0.5 ? { country: ['IE', 'FR'][whole(2)] as string } : {}),
          ...(isPaid ? { amount: { minorUnits: whole(9_000), currency: ['EUR', 'GBP'][whole(2)] as string } } : {}),
          ...(random() < 0.3 ? { customerSince: new Date(start - whole(400) * day) } : {}),
        },
      });
    }
    for (let from = 0; from < told.length; from += 90) await tell(database, told.slice(from, from + 90));
  });
  afterAll(() => remove());

  const itself = async (name: string) => [name];
  const history = () => new SignalHistory(database, itself);
  /** The same in memory, as far as a position. */
  const inMemory = (position: number): StreamHistory => {
    const reach = { types, back: 365 * day };
    const stream = new StreamHistory(
      askable.flatMap((subject) => [{ of: 'signals', subject, ...reach } as const, { of: 'days', subject, ...reach } as const]),
    );
    for (const signal of told.slice(0, position)) stream.add(signal);
    return stream;
  };
  const windows = (count: number): Window[] =>
    Array.from({ length: count }, () => {
      const subject = askable[whole(askable.length)] as WindowSubject;
      const from = start - whole(65) * day;
      const given = types.filter(() => random() < 0.6);
      return {
        subject,
        value: `${subject}-${whole(4)}`,
        types: given.length === 0 ? types : given,
        from: new Date(from),
        to: new Date(from + whole(40) * day),
      };
    });
  const inOrder = (days: readonly DaySummary[]) => [...days].map((each) => JSON.stringify(each, Object.keys(each).sort())).sort();

  it('is the same from the database as from memory: signals of any windows, at any position', async () => {
    for (const position of [1, 50, 333, 900]) {
      const asked = windows(25);
      const found = await history().at(position).signals(asked);
      expect(found).toEqual(inMemory(position).answer({ signals: asked, days: [] }).signals);
      expect(found.some((signals) => signals.length > 0)).toBe(position > 1);
    }
  });

  it('is the same from the database as from memory: days of any windows', async () => {
    const asked = windows(60);
    const found = await history().at(900).days(asked);
    const expected = inMemory(900).answer({ signals: [], days: asked }).days;
    expect(found.map(inOrder)).toEqual(expected.map(inOrder));
    expect(found.some((days) => days.length > 0)).toBe(true);
    expect(summariesOf(told[0] as Signal).length).toBeLessThanOrEqual(3);
  });

  it('is one statement for windows of a kind, however many, and none for none', async () => {
    const statements: string[] = [];
    const counting = {
      readLists: ((selection, rests) => {
        statements.push(String(rests.length));
        return database.readLists(selection, rests);
      }) as Database['readLists'],
    };
    const past = new SignalHistory(counting, itself).at(900);
    expect([await past.signals([]), await past.days([])]).toEqual([[], []]);
    await past.signals(windows(7));
    await past.days(windows(3));
    expect(statements).toEqual(['7', '3']);
  });

  it('that is asked for of several signals at a time is read by few statements, and each gets its own', async () => {
    const statements: number[] = [];
    const counting = {
      readLists: ((selection, rests) => {
        statements.push(rests.length);
        return database.readLists(selection, rests);
      }) as Database['readLists'],
    };
    const history = new SignalHistory(counting, itself);
    const positions = Array.from({ length: 13 }, (_, index) => 100 + index * 50);
    const asked = (['customer', 'card', 'device'] as const).map((subject): Window => {
      return { subject, value: `${subject}-1`, types, from: new Date(start - 65 * day), to: new Date(start) };
    });
    const together = await Promise.all(positions.map((position) => history.at(position).signals(asked)));
    expect(statements.sort((a, b) => a - b)).toEqual([1, 1, 1, 4, 4, 4, 8, 8, 8]);
    const alone = [];
    for (const position of positions) alone.push(await history.at(position).signals(asked));
    expect(together).toEqual(alone);
    expect(together.some((lists) => lists.some((list) => list.length > 0))).toBe(true);
  });

  it('of every subject and of days reads no table and no index from end to end', async () => {
    const filler = Array.from(
      { length: 3_000 },
      (_, index): Signal => ({
        source: 'shop',
        id: `filler-${index}`,
        type: 'payment.attempt.succeeded',
        occurredAt: new Date(start - (index % 80) * day),
        subjects: Object.fromEntries(subjects.map((name) => [name, `${name}-x${index % 700}`])),
        facts: {},
      }),
    );
    await tell(database, filler);
    for (const table of ['risk_signal', 'risk_feed', 'risk_signal_day'])
      await tamper(database, engine === 'mariadb' ? `ANALYZE TABLE ${table}` : `ANALYZE ${table}`);
    const asked: { text: string; values: readonly unknown[] }[] = [];
    const reader = Reflect.get(database, 'reader') as {
      query: (text: string, values: readonly unknown[], milliseconds: number) => Promise<unknown[]>;
    };
    const original = reader.query.bind(reader);
    const listening = jest.spyOn(reader, 'query').mockImplementation((text, values, milliseconds) => {
      asked.push({ text, values });
      return original(text, values, milliseconds);
    });
    const around = { types, from: new Date(start - 5 * day), to: new Date(start) };
    const past = new SignalHistory(database, async (name) => [name, `${name}-other`]).at(1_000_000);
    for (const subject of askable) await past.signals([{ subject, value: `${subject}-x7`, ...around }]);
    await past.days([{ subject: 'customer', value: 'customer-x7', ...around }]);
    listening.mockRestore();
    expect(asked).toHaveLength(askable.length + 1);
    const faults: string[] = [];
    for (const { text, values } of asked) {
      if (engine === 'sqlite') {
        const plan = (await tamper(database, `EXPLAIN QUERY PLAN ${text}`, [...values])) as { detail: string }[];
        faults.push(...plan.map(({ detail }) => detail).filter((detail) => /^SCAN /.test(detail)));
      } else {
        const plan = await database.query<{ table: string; type: string; key: string | null; rows: number }>(
          `EXPLAIN ${text}`,
          values,
        );
        faults.push(
          ...plan.filter(({ type }) => type === 'ALL' || type === 'index').map(({ table, type }) => `${table} ${type}`),
        );
      }
    }
    expect(faults).toEqual([]);
  });
});

describe('a customer', () => {
  let test: TestApp;
  beforeAll(async () => {
    test = await TestApp.start();
  });
  afterAll(() => test.stop());

  it('is found by every name that they have here and elsewhere, and called as they are asked for', async () => {
    const [row] = await test.app.database.query<{ id: string; source: string; reference: string; payer: string }>(
      "SELECT id, source, reference, payment_customer_id AS payer FROM helpdesk_customer WHERE link = 'VERIFIED' ORDER BY id LIMIT 1",
    );
    if (!row) throw new Error('expected a customer who is linked');
    const now = test.clock.now();
    const of = (id: string, customer: string): Signal => ({
      source: 'shop',
      id,
      type: 'account.recovery',
      occurredAt: now,
      subjects: { customer },
      facts: {},
    });
    // From before the helpdesk's customer was known here.
    const early = subjectDigest(test.keys.digests, 'customer', row.reference, row.source);
    const others = subjectDigest(test.keys.digests, 'customer', row.reference, 'another');
    await tell(test.app.database, [of('a', row.id), of('b', row.payer), of('c', early), of('d', others)]);
    const [end] = await test.app.database.query('SELECT MAX(position) AS last FROM risk_feed');
    const past = test.app.signals.history.at(Number(end?.last));
    const window = { subject: 'customer', types: ['account.recovery'], from: new Date(now.getTime() - day), to: now } as const;
    for (const value of [row.id, row.payer]) {
      const [signals = []] = await past.signals([{ ...window, value }]);
      expect(signals.map(({ id, subjects: about }) => [id, about.customer])).toEqual([
        ['a', value],
        ['b', value],
        ['c', value],
      ]);
      const [days = []] = await past.days([{ ...window, value }]);
      expect(days.map(({ value: called, count }) => [called, count])).toEqual([[value, 3]]);
    }
    const [unknown = []] = await past.signals([{ ...window, value: others }]);
    expect(unknown.map(({ id }) => id)).toEqual(['d']);
  });
});
