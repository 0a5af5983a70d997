import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { promisify } from 'node:util';
import { loggedName } from '../../src/features/signals/logged-name';
import { toldActions } from '../../src/features/webhooks/messages';
import { OpenVerdicts } from '../../src/risk/open-verdicts';
import type { Verdict } from '../../src/risk/rule';
import { type Engine, engines } from './crash-database';
import { passing } from './fault-proxy';
import { Random } from './random';
import { SignalWorld } from './signal-world';

// More, or others: CRASH_SIGNAL_ROUNDS=200 CRASH_SEED=7 npm run test:crash -- signals
const rounds = Number(process.env.CRASH_SIGNAL_ROUNDS ?? 14);
const seed = Number(process.env.CRASH_SEED ?? Date.now() % 1_000_000);
const root = join(__dirname, '../..');

const minute = 60_000;

interface Sent {
  readonly source: string;
  readonly signal: { readonly id: string } & Readonly<Record<string, unknown>>;
}

/** What happens to some people within an hour, as two senders tell it, in the order in which it happened. */
class Story {
  private made = 0;
  readonly all: Sent[] = [];

  constructor(
    private readonly random: Random,
    /** Customers with a ticket, by what the shop and what the desk call them. */
    private readonly people: readonly { readonly shop: string; readonly desk: string }[],
  ) {}

  private tell(type: string, ago: number, subjects: Readonly<Record<string, string>>, facts: object = {}): void {
    const { random } = this;
    this.made += 1;
    const person = this.people.find(({ shop }) => shop === subjects.customer);
    // A customer of both is told of by either, under their own name.
    const source = person && random.next() < 0.4 ? 'desk' : 'shop';
    const customer = person && source === 'desk' ? { customer: person.desk } : {};
    const signal = {
      id: `${type}-${this.made}`,
      type,
      occurredAt: new Date(Date.now() - ago).toISOString(),
      subjects: { ...subjects, ...customer },
      facts,
    };
    this.all.push({ source, signal });
  }

  /** One round's worth. */
  write(round: number): readonly Sent[] {
    const { random } = this;
    const begun = this.all.length;
    const { shop: known } = random.one(this.people);
    const stranger = `stranger-${round}`;
    const late = random.next() < 0.2 ? 150 * minute : 0;
    const customer = random.next() < 0.6 ? known : stranger;
    switch (random.below(5)) {
      case 0:
        // Cards that are tried out, by one customer or on one device.
        for (let n = 0; n < 6; n += 1)
          this.tell(
            'payment.attempt.declined',
            late + (8 - n) * minute,
            {
              customer: random.next() < 0.7 ? customer : `other-${round}-${n}`,
              card: `card-${round}-${n}`,
              device: `device-${round}`,
            },
            { country: random.one(['DE', 'IE']), declineCode: 'incorrect_cvc' },
          );
        break;
      case 1:
        for (let n = 0; n < 9; n += 1)
          this.tell('payment.attempt.declined', late + (12 - n) * minute, { customer, card: `loop-${round}` }, { country: 'FR' });
        break;
      case 2:
        this.tell('account.recovery', late + 30 * minute, { customer, device: `new-${round}` });
        this.tell('credential.changed', late + 20 * minute, { customer, device: `new-${round}` }, { change: 'contact' });
        this.tell(
          'payment.attempt.succeeded',
          late + 10 * minute,
          { customer, card: `fresh-${round}`, device: `new-${round}` },
          { country: 'BR', amount: { minorUnits: 900_000, currency: 'EUR' } },
        );
        break;
      case 3:
        for (let n = 0; n < 6; n += 1)
          this.tell(
            'payment.attempt.declined',
            late + (9 - n) * minute,
            { customer: `domain-${round}-${n}`, emailDomain: `burst-${round}.example`, card: `burst-${round}-${n}` },
            { country: 'ES', customerSince: new Date(Date.now() - 86_400_000).toISOString() },
          );
        break;
      default:
        this.tell('ticket.contact', late + 25 * minute, { customer });
        for (const country of ['NG', 'BR', 'US'])
          this.tell(
            country === 'US' ? 'payment.attempt.declined' : 'payment.attempt.succeeded',
            late + 5 * minute,
            { customer, card: `abroad-${round}`, device: `abroad-${round}-${country}` },
            { country },
          );
    }
    return this.all.slice(begun);
  }
}

/** In another order, some of them twice. */
const disordered = (random: Random, sent: readonly Sent[]): readonly Sent[] =>
  [...sent, ...sent.filter(() => random.next() < 0.3)]
    .map((each) => ({ each, chance: random.next() }))
    .sort((a, b) => a.chance - b.chance)
    .map(({ each }) => each);

/** Sends all of it, in parts, each until it is acknowledged; often the answer doesn't reach the sender, or it sends again all the same. */
const deliver = async (world: SignalWorld, random: Random, sent: readonly Sent[]): Promise<void> => {
  for (let rest = disordered(random, sent); rest.length > 0; ) {
    const source = rest[0]?.source ?? '';
    const part = rest.filter((each) => each.source === source).slice(0, 1 + random.below(5));
    rest = rest.filter((each) => !part.includes(each));
    const signals = part.map(({ signal }) => signal);
    for (let tries = 0, isEnough = false; !isEnough; tries += 1) {
      if (tries > 400) throw new Error(`no answer to a sender:\n${world.gateway.said.join('')}`);
      const status = await world.send(source, signals, random.next() < 0.3 ? 1 + random.below(25) : 5_000);
      if (status !== null && status !== 202 && status < 500) throw new Error(`a sender was told ${status}`);
      isEnough = status === 202 && random.next() < 0.8;
      if (status !== 202) await pause(40);
    }
  }
};

interface LoggedVerdict {
  readonly id: string;
  readonly rule: string;
  readonly at: string;
  readonly counts: readonly string[];
  readonly effects: readonly string[];
  readonly signals: readonly string[];
  readonly late: boolean;
}
type Leaf = {
  readonly action: string;
  readonly subject: { readonly id: string } | null;
  readonly detail: Readonly<Record<string, unknown>>;
};

const inOneLine = ({ id, rule, at, counts, effects, signals, late }: LoggedVerdict): string =>
  JSON.stringify([rule, id.slice(0, 12), at, [...counts].sort(), [...effects].sort(), [...signals].sort(), late]);

describe.each(engines)(`signals to a gateway on %s that is killed ${rounds} times, seed ${seed}`, (engine: Engine) => {
  let world: SignalWorld;
  let sent: readonly Sent[];
  let began: Date;
  let kills = 0;
  const decided: { readonly key: string; readonly answer: string }[] = [];
  beforeAll(async () => {
    world = await SignalWorld.start(engine);
    began = new Date();
    // What happens is the same for the same seed, how its telling goes isn't.
    const random = new Random(seed);
    const luck = new Random(seed + 1);
    const people = await Promise.all(
      [1, 2, 3, 9].map(async (number) => {
        const [row] = await world.query<{ reference: string }>(
          `SELECT c.reference FROM helpdesk_ticket t JOIN helpdesk_customer c ON c.id = t.customer_id WHERE t.reference = '${1_000 + number}'`,
        );
        return { shop: `cus_demo_${String(number).padStart(6, '0')}`, desk: row?.reference ?? '' };
      }),
    );
    const story = new Story(random, people);
    world.answer = () => luck.one([204, 204, 500, null]);
    // Agents who browse: what they are shown is told by the log, and the rule about it stops them.
    let isOver = false;
    const tickets = await world.query<{ reference: string }>(
      "SELECT reference FROM helpdesk_ticket WHERE status = 'OPEN' ORDER BY reference",
    );
    const browsing = ['ana', 'ben'].map(async (who) => {
      for (let turn = 0; !isOver; turn += 1) {
        const { reference } = tickets[turn % tickets.length] as { reference: string };
        await world.graph(
          who,
          `{ ticketByReference(source: "demo", reference: "${reference}") { assistance { state } customer { displayName } } }`,
        );
        await pause(60);
      }
    });
    // A pipeline that asks the same again until it is answered, and now and then once more.
    const paying = (async () => {
      for (let turn = 0; !isOver; turn += 1) {
        const { shop } = people[turn % people.length] as { shop: string };
        const input = {
          source: 'demo-pay',
          stage: 'CHECKOUT',
          customer: shop,
          amount: { minorUnits: 1_000 + turn, currency: 'EUR' },
          idempotencyKey: `crash-decision-${turn}`,
        };
        for (let answers = 0; answers < 2 && !isOver; ) {
          const query = 'mutation($input: PaymentDecisionInput!) { paymentDecision(input: $input) { id verdict demandId } }';
          const answer = await world.graph('pip', query, { input });
          if (answer?.data?.paymentDecision) {
            answers += 1;
            decided.push({ key: input.idempotencyKey, answer: JSON.stringify(answer.data.paymentDecision) });
          } else if (answer?.refused.includes('RATE_LIMITED')) break;
          await pause(120);
        }
      }
    })();
    for (let round = 0; round < rounds; round += 1) {
      let struck = false;
      const strike = () => {
        if (struck) return;
        struck = true;
        world.gateway.kill();
      };
      const { toDatabase } = world;
      let timer: NodeJS.Timeout | undefined;
      if (toDatabase && random.next() < 0.6) {
        // Before a statement reaches the database, or after it did and before anybody hears of it.
        const [at, isBefore] = [1 + random.below(400), random.next() < 0.5];
        let packets = 0;
        toDatabase.judge = () => {
          packets += 1;
          if (packets !== at || struck) return passing;
          if (!isBefore) return { ...passing, after: strike };
          strike();
          return { request: 'drop', answer: 'pass' };
        };
      } else timer = setTimeout(strike, 100 + random.below(1_400));
      const parts = [story.write(round * 2), story.write(round * 2 + 1)];
      await Promise.all(parts.map((part) => deliver(world, luck, part)));
      for (const late = Date.now() + 1_500; !struck && Date.now() < late; ) await pause(25);
      strike();
      clearTimeout(timer);
      if (toDatabase) toDatabase.judge = () => passing;
    }
    kills = world.gateway.kills;
    isOver = true;
    await Promise.all([...browsing, paying]);
    sent = story.all;
    await world.drain();
  });
  afterAll(async () => {
    const counted = async (table: string) =>
      Number((await world.query<{ n: number }>(`SELECT COUNT(*) AS n FROM ${table}`))[0]?.n);
    if (sent)
      process.stderr.write(
        `${JSON.stringify({ engine, seed, rounds, kills, sent: sent?.length, alerts: await counted('risk_alert'), brakes: await counted('staff_brake'), deliveries: await counted('webhook_delivery'), posts: world.told.length })}\n`,
      );
    await world?.close();
  });

  /** What the log says, from a place on. */
  const leavesAfter = async (place: number, ...actions: readonly string[]): Promise<readonly Leaf[]> =>
    (
      await world.query<{ leaf: Buffer }>(
        `SELECT e.leaf FROM audit_event e JOIN audit_leaf l ON l.event_id = e.id
          WHERE e.action IN (${actions.map((each) => `'${each}'`).join(', ')}) AND l.leaf_index > ${place} ORDER BY l.leaf_index`,
      )
    ).map(({ leaf }) => JSON.parse(leaf.toString('utf8')) as Leaf);
  /** The same since the sources were loaded. */
  const leaves = (...actions: readonly string[]) => leavesAfter(world.loadedAt, ...actions);

  it('kill it as often as asked, with something under way', () => {
    expect(kills).toBeGreaterThanOrEqual(rounds);
    expect(sent.length).toBeGreaterThan(rounds * 4);
  });

  it('are stored once each, with one place each, and without a gap', async () => {
    const stored = await world.query<{ name: string; places: number }>(
      `SELECT CONCAT(s.source, '/', s.event_id) AS name, COUNT(f.position) AS places FROM risk_signal s
         LEFT JOIN risk_feed f ON f.signal_id = s.id WHERE s.source IN ('shop', 'desk') GROUP BY s.id, s.source, s.event_id`,
    );
    expect(stored.map(({ name }) => name).sort()).toEqual(sent.map(({ source, signal }) => `${source}/${signal.id}`).sort());
    expect(stored.filter(({ places }) => Number(places) !== 1)).toEqual([]);
    const [feed] = await world.query<Readonly<Record<string, number>>>(
      `SELECT MIN(position) AS first, MAX(position) AS last, COUNT(*) AS n, (SELECT COUNT(*) FROM risk_signal) AS signals FROM risk_feed`,
    );
    expect({ first: Number(feed?.first), last: Number(feed?.last), signals: Number(feed?.signals) }).toEqual({
      first: 1,
      last: Number(feed?.n),
      signals: Number(feed?.n),
    });
  });

  it('raise one open alert for each rule, subject and window, and each alert is one event', async () => {
    const alerts = await world.query<{ id: string; subject: string }>(
      `SELECT id, subject FROM risk_alert WHERE raised_at >= ${began.getTime()}`,
    );
    expect(alerts.length).toBeGreaterThan(0);
    const subjects = alerts.map(({ subject }) => subject);
    expect(new Set(subjects).size).toBe(subjects.length);
    const raised = (await leaves('alert.raise')).map(({ subject }) => subject?.id);
    expect([...raised].sort()).toEqual(alerts.map(({ id }) => id).sort());
  });

  it('brake each person once by each rule', async () => {
    const brakes = await world.query<{ id: string; open_key: string }>('SELECT id, open_key FROM staff_brake');
    expect(brakes.length).toBeGreaterThan(0);
    expect(new Set(brakes.map(({ open_key }) => open_key)).size).toBe(brakes.length);
    const placed = (await leaves('brake.place')).map(({ subject }) => subject?.id);
    expect([...placed].sort()).toEqual(brakes.map(({ id }) => id).sort());
  });

  it('hold, challenge and open a ticket once each, and each of these is one event', async () => {
    const since = (table: string, column: string, key: string) =>
      world.query<{ id: string; k: string }>(`SELECT id, ${key} AS k FROM ${table} WHERE ${column} >= ${began.getTime()}`);
    const [holds, demands, outreaches] = [
      await since('payment_hold', 'placed_at', 'open_key'),
      await since('step_up_demand', 'opened_at', "CONCAT(customer_id, ' ', COALESCE(open_key, id))"),
      await since('risk_outreach', 'created_at', 'alert_id'),
    ];
    for (const rows of [holds, demands, outreaches]) expect(new Set(rows.map(({ k }) => k)).size).toBe(rows.length);
    expect([holds.length, demands.length].map((count) => count > 0)).toEqual([true, true]);
    const begun = async (...actions: readonly string[]) => (await leaves(...actions)).map(({ subject }) => subject?.id).sort();
    expect(await begun('hold.place', 'hold.propose')).toEqual(holds.map(({ id }) => id).sort());
    expect(await begun('demand.open')).toEqual(demands.map(({ id }) => id).sort());
    expect(await begun('outreach.open')).toEqual(outreaches.map(({ id }) => id).sort());
    // Of what a hold is to bring about each thing stands once, and is so or visibly isn't.
    const effects = await world.query<{ k: string; state: string; hold: string }>(
      "SELECT CONCAT(e.hold_id, ' ', e.kind) AS k, e.state, h.state AS hold FROM payment_hold_effect e JOIN payment_hold h ON h.id = e.hold_id",
    );
    expect(new Set(effects.map(({ k }) => k)).size).toBe(effects.length);
    expect(
      effects.filter(({ state, hold }) => hold === 'ACTIVE' && !['APPLIED', 'UNKNOWN', 'NOT_POSSIBLE'].includes(state)),
    ).toEqual([]);
    const [sent] = await world.query<{ n: number }>(
      "SELECT COUNT(*) AS n FROM risk_outreach WHERE state NOT IN ('DONE', 'REFUSED', 'DROPPED', 'LOST')",
    );
    expect(Number(sent?.n)).toBe(0);
  });

  it('leave a pipeline one answer, and one decision, for each of its questions', async () => {
    const answers = new Map<string, Set<string>>();
    for (const { key, answer } of decided) answers.set(key, (answers.get(key) ?? new Set()).add(answer));
    expect(answers.size).toBeGreaterThan(3);
    expect([...answers].filter(([, all]) => all.size > 1)).toEqual([]);
    const [kept] = await world.query<{ n: number; keys: number }>(
      'SELECT COUNT(*) AS n, COUNT(DISTINCT key_digest) AS `keys` FROM payment_decision',
    );
    expect(Number(kept?.n)).toBe(Number(kept?.keys));
    const made = (await leaves('decision.make')).map(({ subject }) => subject?.id);
    expect(new Set(made).size).toBe(made.length);
  });

  it('are told of to an endpoint at least once, under one id, the same words and in order', async () => {
    const rows = await world.query<{ id: string; subject: string; place: number; body: string }>(
      `SELECT id, subject, place, body FROM webhook_delivery WHERE state = 'DONE' AND place > ${world.loadedAt} ORDER BY place`,
    );
    const toldOf = await leaves(...toldActions);
    expect(rows.map(({ subject }) => subject.split('|')[1])).toEqual(toldOf.map(({ subject }) => subject?.id));
    expect([...new Set(world.told.map(({ id }) => id))].sort()).toEqual(rows.map(({ id }) => id).sort());
    expect([...new Set(world.told.map(({ id, body }) => `${id} ${body}`))].sort()).toEqual(
      rows.map(({ id, body }) => `${id} ${body}`).sort(),
    );
    // By when each came first.
    const first = new Map<string, number>();
    for (const [index, { id }] of world.told.entries()) if (!first.has(id)) first.set(id, index);
    const outOfOrder = rows.filter(({ id, subject, place }) =>
      rows.some((other) => other.subject === subject && other.place < place && (first.get(other.id) ?? 0) > (first.get(id) ?? 0)),
    );
    expect(outOfOrder).toEqual([]);
  });

  /** What the log says that rules found, in its order. */
  const logged = async (): Promise<readonly (LoggedVerdict & { readonly done: readonly string[] })[]> =>
    (await leavesAfter(-1, 'rule.verdict')).map(({ subject, detail }) => ({
      id: subject?.id ?? '',
      ...(detail as unknown as Omit<LoggedVerdict, 'id'> & { done: readonly string[] }),
    }));

  /** A verdict as whoever tells a repetition from something new needs it. */
  const isNewIn = (open: OpenVerdicts) => (each: LoggedVerdict & { readonly window?: number }) =>
    open.take({
      rule: each.rule,
      // By which verdicts are told apart, with what they name within their subject.
      subject: { name: 'customer', value: each.id },
      each: null,
      at: new Date(each.at),
      window: each.window ?? 0,
      effects: each.effects,
    } as unknown as Verdict) !== 'again';

  it('are judged once: a verdict that was said is said again only with what newly followed', async () => {
    const all = await logged();
    expect(new Set(all.map(({ rule }) => rule)).size).toBeGreaterThan(2);
    const isNew = isNewIn(new OpenVerdicts());
    expect(all.filter((each) => !isNew(each) && each.done.length === 0)).toEqual([]);
  });

  it('give the same verdicts when they are tried again as they gave live', async () => {
    const from = new Date(began.getTime() - 240 * minute).toISOString();
    const tryAgain = async (): Promise<string[]> => {
      const { stdout } = await promisify(execFile)(
        process.execPath,
        [join(root, 'dist/src/cli/counterfoil.js'), 'rules', 'test', '--json', '--from', from],
        { cwd: root, env: world.commandEnvironment, encoding: 'utf8', maxBuffer: 256 * 1_048_576 },
      );
      return stdout
        .split('\n')
        .filter((line) => line !== '')
        .map((line) => {
          const { rule, at, subject, subjects, counts, effect, signals, late } = JSON.parse(line);
          const name = (signal: string) => {
            const cut = signal.indexOf('/');
            return loggedName({ source: signal.slice(0, cut), id: signal.slice(cut + 1) });
          };
          return inOneLine({
            id: createHash('sha256')
              .update(JSON.stringify([rule, subject, subjects[subject]]))
              .digest('base64url'),
            rule,
            at,
            counts: Object.entries(counts).map(([what, count]) => `${what} ${count}`),
            effects: effect.split(', '),
            signals: signals.slice(-50).map(name),
            late,
          });
        });
    };
    const gaveLive = async (): Promise<string[]> => {
      const isNew = isNewIn(new OpenVerdicts());
      return (await logged()).filter((each) => isNew(each) && each.at >= from).map(inOneLine);
    };
    // The gateway tells itself of cards and deadlines meanwhile: what is stored a moment before it is tried again isn't judged live yet.
    let [tried, live] = [await tryAgain(), await gaveLive()];
    for (let tries = 0; tries < 10 && [...live].sort().join() !== [...tried].sort().join(); tries++) {
      await new Promise((resolve) => setTimeout(resolve, 3_000));
      [tried, live] = [await tryAgain(), await gaveLive()];
    }
    expect(live.length).toBeGreaterThan(rounds / 2);
    expect([...live].sort()).toEqual([...tried].sort());
  });
});
