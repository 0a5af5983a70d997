import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { usualSettings } from '../../bench/stream/acts';
import { beginning } from '../../bench/stream/calendar';
import { generate } from '../../bench/stream/generate';
import { ownSource } from '../../src/features/signals/own-source';
import { recordSignals } from '../../src/features/signals/recorder';
import { type Signal, signalSchema } from '../../src/risk/signal';
import { told } from '../support/answers';
import { TestApp } from '../support/app';
import { OtherIssuer } from '../support/other-issuer';

const [second, minute, hour, day] = [1_000, 60_000, 3_600_000, 86_400_000];
/** Days of the team's own work that are there before anybody attacks: a baseline takes 28. */
const pastDays = 30;
/** How long after it is committed, in seconds, what somebody was shown may be judged: places of the log, signals of it, and the rules. */
const delay = 2;

const shipped = readFileSync('schema/rules.yaml', 'utf8');
const rulesWith = (mode: 'ON' | 'OFF'): string =>
  ['agent-breadth', 'agent-thin-work', 'agent-interventions'].reduce(
    (text, rule) => {
      const found = new RegExp(`(^  ${rule}:\\n(?:    .*\\n)*?    mode: )\\w+`, 'm');
      expect(text).toMatch(found);
      return text.replace(found, `$1${mode}`);
    },
    shipped.replace(/^( {4}mode:) \w+/gm, '$1 OFF'),
  );
/** A number of a rule as it ships. */
const threshold = (rule: string, name: string): number => {
  const found = new RegExp(`^  ${rule}:\\n(?:    .*\\n)*?    thresholds: \\{[^}]*\\b${name}: ([\\d.]+)`, 'm').exec(shipped);
  return Number(found?.[1] ?? Number.NaN);
};

const sees = `query($reference: String!) { ticketByReference(source: "demo", reference: $reference) {
  id assistance { id } customer { id displayName paymentMethods { id last4 } } } }`;
const asks = `mutation($id: ID!) {
  beginAssistance(input: { ticketId: $id, purpose: DECLINE, reason: "The customer called about a decline" }) { state } }`;
const changes = `mutation($input: RequestCredentialUpdateInput!) { requestCredentialUpdate(input: $input) { id state } }`;

interface Measured {
  readonly who: string;
  readonly pace: string;
  readonly exposed: number;
  readonly atMost: string;
  readonly stoppedBy: string;
}

/**
 * What an attacker gets of the merchant's customers before they are stopped, with the rules about agents in force as they ship, over a team
 * whose past is the labelled stream's. `npx jest --selectProjects sqlite -- test/api/abuse` prints the table of docs/rules.md.
 */
describe('customers exposed before a brake', () => {
  let test: TestApp;
  let issuer: OtherIssuer;
  const measured: Measured[] = [];
  const folder = mkdtempSync(join(tmpdir(), 'counterfoil-abuse-'));
  const rulesFile = join(folder, 'rules.yaml');
  beforeAll(async () => {
    issuer = await OtherIssuer.open();
    writeFileSync(rulesFile, rulesWith('OFF'));
    const environment = { DEMO_SIZE: '0.3' };
    test = await TestApp.start({ environment, config: { rulesFile, issuers: [issuer.configuration], rateLimit: 1_000_000 } });
    const past = pastOfTeams(test.clock.now());
    await test.app.database.system('signals', 'signal.receive', async (change) => {
      await recordSignals(change, past);
      change.record('signal.receive', { subject: { type: 'SignalSource', id: 'past' }, detail: { signals: past.length } });
    });
    await follow();
    writeFileSync(rulesFile, rulesWith('ON'));
    test.clock.forward(minute);
    await test.restart();
  });
  afterAll(async () => {
    const widths = [36, 11, 8, 38];
    const line = ({ who, pace, exposed, atMost, stoppedBy }: Measured) =>
      [who, pace, String(exposed), atMost].map((text, index) => text.padEnd(widths[index] ?? 0)).join(' ') + stoppedBy;
    const head = { who: 'who', pace: 'pace', exposed: 'exposed' as never, atMost: 'at most', stoppedBy: 'stopped by' };
    process.stderr.write(`${[head, ...measured].map(line).join('\n')}\n`);
    await test.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  /** The work of two teams, as the labelled stream has it, moved to the days before now. */
  const pastOfTeams = (now: Date): readonly Signal[] => {
    const stream = generate({ ...usualSettings, seed: 1, warmUpDays: pastDays, scoredDays: 0 });
    const shift = Math.floor(now.getTime() / day) * day - (beginning + pastDays * day);
    const found: Signal[] = [];
    for (let next = stream.next(); !next.done; next = stream.next())
      for (const line of next.value) {
        const signal = signalSchema.parse(JSON.parse(line));
        if (!/^staff\.(disclosure|reply|note|update|hold)$/.test(signal.type)) continue;
        const { team = '', ...subjects } = signal.subjects;
        const occurredAt = new Date(signal.occurredAt.getTime() + shift);
        if (occurredAt >= now) continue;
        const ours = { ...subjects, team: team === 'team-cards' ? 'cards' : 'wallets' };
        found.push({ ...signal, source: ownSource, occurredAt, subjects: ours });
      }
    return [...new Map(found.map((signal) => [signal.id, signal])).values()];
  };

  /** What is committed gets its place in the log, is told as signals, and is judged. */
  const follow = async () => {
    await test.app.signingLog?.sequencer.turn();
    await test.app.signals.service.readLog();
    await test.app.signals.service.turn();
  };
  const token = (user: string, role: 'AGENT' | 'SUPERVISOR', teams: readonly string[]) =>
    issuer.token(user, { roles: [role], teams }, test.clock.now());

  interface Ticket {
    readonly reference: string;
    readonly id: string;
  }
  let waiting: readonly Ticket[] | null = null;
  /** Open tickets of a team, none of Greta's, about so many different customers, whom nobody in this test was shown yet. */
  const ticketsOf = async (count: number): Promise<readonly Ticket[]> => {
    waiting ??= await test.app.database.query<{ reference: string; id: string }>(
      `SELECT MIN(t.reference) AS reference, MIN(t.id) AS id, t.customer_id FROM helpdesk_ticket t
         JOIN helpdesk_customer c ON c.id = t.customer_id AND c.link <> 'NONE'
         LEFT JOIN helpdesk_staff s ON s.id = t.assignee_id AND s.reference = 'greta'
        WHERE t.status IN ('NEW', 'OPEN', 'PENDING') AND t.team = 'cards' AND t.created_by_id IS NULL AND t.customer_set_by_ids = '[]'
          AND s.id IS NULL
        GROUP BY t.customer_id HAVING COUNT(*) = 1 ORDER BY reference`,
    );
    const found = waiting.slice(0, count);
    waiting = waiting.slice(count);
    expect(found).toHaveLength(count);
    return found;
  };
  const give = async (tickets: readonly Ticket[], to: string) => {
    for (const { reference } of tickets) {
      test.helpdesk.reassign(reference, to, 'sam');
      await test.app.sources.refreshTicket('demo', reference);
    }
  };
  const reply = async (id: string, staff: string) => {
    const [row] = await test.app.database.query<{ id: string }>('SELECT id FROM helpdesk_staff WHERE reference = ?', [staff]);
    const signal: Signal = {
      source: 'demo',
      id: `reply-${id}`,
      type: 'staff.reply',
      occurredAt: test.clock.now(),
      subjects: { staff: row?.id, team: 'cards', ticket: id },
      facts: {},
    };
    await test.app.database.system('signals', 'signal.receive', async (change) => {
      await recordSignals(change, [signal]);
      change.record('signal.receive', { subject: { type: 'SignalSource', id: 'demo' }, detail: { signals: 1 } });
    });
  };

  interface Attack {
    readonly who: string;
    readonly pace: string;
    readonly tickets: readonly Ticket[];
    /** Milliseconds between two tickets. */
    readonly every: number;
    readonly as: () => Promise<string>;
    /** Before the customer is looked at, and after. */
    readonly before?: (ticket: Ticket) => Promise<unknown>;
    readonly after?: (ticket: Ticket, method: string | undefined) => Promise<unknown>;
  }
  /** Goes from ticket to ticket until there is none left or a brake stops them. */
  const attack = async ({ tickets, every, as, before, after }: Attack) => {
    const customers = new Set<string>();
    let stoppedBy = '';
    // The worst for the customers: what is one too many comes just after somebody looked.
    let since = every;
    for (const ticket of tickets) {
      await before?.(ticket);
      const answer = told(await test.as({ token: await as() }, sees, { reference: ticket.reference }));
      const { customer } = answer.data?.ticketByReference ?? {};
      if (customer?.displayName) customers.add(customer.id);
      if (answer.errors.some(([, , why]) => why === 'BRAKE')) {
        const [brake] = await test.app.database.query<{ rule: string }>(
          'SELECT rule FROM staff_brake ORDER BY placed_at DESC, id DESC LIMIT 1',
        );
        stoppedBy = brake?.rule ?? 'a brake';
        break;
      }
      await after?.(ticket, customer?.paymentMethods?.[0]?.id);
      test.clock.forward(every);
      since += every;
      if (since < delay * second) continue;
      since = 0;
      await follow();
    }
    return { exposed: customers.size, stoppedBy };
  };
  const measure = async (attacked: Attack, most: number, atMost: string) => {
    const { exposed, stoppedBy } = await attack(attacked);
    measured.push({ who: attacked.who, pace: attacked.pace, exposed, atMost, stoppedBy: stoppedBy || 'nobody' });
    expect(exposed).toBeLessThanOrEqual(most);
    return { exposed, stoppedBy };
  };
  /** What is usual in the team, as the newest verdict of a rule says. */
  const usualBy = async (rule: string): Promise<number> => {
    const details = (await test.events('rule.verdict')).map(({ detail }) => detail as { rule: string; counts: string[] });
    const counts = details.findLast((each) => each.rule === rule)?.counts ?? [];
    return Number(counts.find((each) => each.startsWith('usual '))?.slice(6) ?? Number.NaN);
  };

  it.each([
    [1, second],
    [5, second / 5],
  ])('of a hijacked agent whose queue a script walks through, at %d a second', async (perSecond, every) => {
    const user = perSecond === 1 ? 'chloe' : 'dmytro';
    const tickets = await ticketsOf(34);
    await give(tickets, user);
    const fixed = threshold('agent-breadth', 'customers');
    const attacked = {
      who: 'hijacked agent, own queue',
      pace: `${perSecond} a second`,
      tickets,
      every,
      as: () => token(user, 'AGENT', ['cards']),
    };
    const { stoppedBy } = await measure(
      attacked,
      34,
      `max(${fixed}, ${threshold('agent-breadth', 'times')} × p95 + 1) + ${delay} s`,
    );
    expect(stoppedBy).toBe('agent-breadth');
    const usual = await usualBy('agent-breadth');
    expect(usual).toBeGreaterThan(0);
    const fires = Math.max(fixed, Math.floor(threshold('agent-breadth', 'times') * usual) + 1);
    expect(measured.at(-1)?.exposed).toBeLessThanOrEqual(fires + delay * perSecond);
    expect(measured.at(-1)?.exposed).toBeGreaterThanOrEqual(fires);
    test.clock.forward(2 * hour);
  });

  it('of a phished supervisor, who needs nobody’s approval for tickets of the team', async () => {
    const tickets = await ticketsOf(34);
    const as = () => token('sam', 'SUPERVISOR', ['cards', 'wallets']);
    const before = async ({ id }: Ticket) => test.as({ token: await as() }, asks, { id });
    const fixed = threshold('agent-breadth', 'customers');
    const attacked = { who: 'phished supervisor, team’s tickets', pace: '1 a second', tickets, every: second, as, before };
    const { stoppedBy } = await measure(
      attacked,
      34,
      `max(${fixed}, ${threshold('agent-breadth', 'times')} × p95 + 1) + ${delay} s`,
    );
    expect(stoppedBy).toBe('agent-breadth');
    const fires = Math.max(fixed, Math.floor(threshold('agent-breadth', 'times') * (await usualBy('agent-breadth'))) + 1);
    expect(measured.at(-1)?.exposed).toBeLessThanOrEqual(fires + delay);
    // They don't get out of it by themselves, nor does whom they work with in the team.
    const [brake] = await test.app.database.query<{ id: string }>(
      'SELECT id FROM staff_brake ORDER BY placed_at DESC, id DESC LIMIT 1',
    );
    const release = `mutation { releaseBrake(id: "${brake?.id}", reason: "It was the stocktaking week") { state } }`;
    expect(told(await test.as({ token: await as() }, release)).data).toBeNull();
    test.clock.forward(2 * hour);
  });

  it('of a bribed agent who reads real tickets at the pace of work and leaves them', async () => {
    test.clock.forward(day);
    const tickets = await ticketsOf(30);
    await give(tickets, 'elif');
    const every = 4 * minute;
    const {
      tickets: fixed,
      grace,
      times,
    } = {
      tickets: threshold('agent-thin-work', 'tickets'),
      grace: threshold('agent-thin-work', 'graceMinutes'),
      times: threshold('agent-thin-work', 'times'),
    };
    const attacked = {
      who: 'bribed agent, no answers',
      pace: '15 an hour',
      tickets,
      every,
      as: () => token('elif', 'AGENT', ['cards']),
    };
    const { stoppedBy } = await measure(attacked, 30, `max(${fixed}, ${times} × median + 1) + ${grace} min`);
    expect(stoppedBy).toBe('agent-thin-work');
    const fires = Math.max(fixed, Math.floor(times * (await usualBy('agent-thin-work'))) + 1);
    expect(measured.at(-1)?.exposed).toBeLessThanOrEqual(fires + Math.ceil((grace * minute) / every) + 1);
  });

  it('of a bribed agent who has payment details changed', async () => {
    const tickets = await ticketsOf(30);
    await give(tickets, 'femi');
    const as = () => token('femi', 'AGENT', ['cards']);
    const after = async ({ id: ticketId }: Ticket, paymentMethodId: string | undefined) => {
      if (paymentMethodId === undefined) return;
      const input = {
        ticketId,
        paymentMethodId,
        kind: 'BILLING_ADDRESS',
        reason: 'The customer has moved house',
        idempotencyKey: `bribed-${ticketId}`,
      };
      await test.as({ token: await as() }, changes, { input });
    };
    const fixed = threshold('agent-interventions', 'interventions');
    const times = threshold('agent-interventions', 'times');
    const attacked = { who: 'bribed agent, changes', pace: '15 an hour', tickets, every: 4 * minute, as, after };
    const { stoppedBy } = await measure(attacked, 30, `max(${fixed}, ${times} × median + 1), each asked`);
    expect(stoppedBy).toBe('agent-interventions');
    const [asked] = await test.app.database.query<{ n: number }>('SELECT COUNT(*) AS n FROM credential_update');
    const fires = Math.max(fixed, Math.floor(times * (await usualBy('agent-interventions'))) + 1);
    expect(Number(asked?.n)).toBeLessThanOrEqual(fires + 1);
    // No customer confirmed anything, so nothing was changed.
    const [applied] = await test.app.database.query<{ n: number }>(
      "SELECT COUNT(*) AS n FROM credential_update WHERE state = 'APPLIED'",
    );
    expect(Number(applied?.n)).toBe(0);
  });

  it('of a bribed agent who answers each ticket that others gave them: no more than those, and no brake', async () => {
    const tickets = await ticketsOf(18);
    await give(tickets, 'greta');
    const as = () => token('greta', 'AGENT', ['cards']);
    const after = ({ id }: Ticket) => reply(id, 'greta');
    const attacked = { who: 'bribed agent, answers all', pace: '15 an hour', tickets, every: 4 * minute, as, after };
    const { stoppedBy, exposed } = await measure(attacked, tickets.length, 'the tickets that others gave them');
    // Looks like work, and is: what remains is that each disclosure is on record.
    expect(stoppedBy).toBe('');
    expect(exposed).toBe(tickets.length);
    const others = await ticketsOf(6);
    const beyond = await attack({ ...attacked, tickets: others });
    expect(beyond.exposed).toBe(0);
  });

  it('of a stolen integration token: none, whatever it says it is', async () => {
    const tickets = await ticketsOf(6);
    const pip = () => test.token('pip');
    const asked = async (as: () => Promise<string>) => {
      const before = async ({ id }: Ticket) => test.as({ token: await as() }, asks, { id });
      return { tickets, every: second, as, before };
    };
    await measure(
      { who: 'stolen token, SERVICE', pace: '1 a second', ...(await asked(pip)) },
      0,
      '0: a service works with no ticket',
    );
    const bot = () => token('helpdesk-bot', 'AGENT', ['cards']);
    await measure(
      { who: 'stolen token, AGENT nobody knows', pace: '1 a second', ...(await asked(bot)) },
      0,
      '0: no helpdesk knows them',
    );
    // Nor by ids, lists and cursors.
    const customers = await test.app.database.query<{ id: string }>('SELECT id FROM helpdesk_customer ORDER BY id LIMIT 30');
    for (const { id } of customers) {
      const { data } = await test.as({ token: await pip() }, 'query($id: ID!) { customer(id: $id) { displayName } }', { id });
      expect(data?.customer ?? null).toBeNull();
    }
    const { data } = await test.as({ token: await pip() }, '{ tickets(first: 50) { totalCount nodes { id } } }');
    expect(data?.tickets?.totalCount ?? 0).toBe(0);
  });
});
