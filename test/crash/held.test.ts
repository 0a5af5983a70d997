import { execFile } from 'node:child_process';
import { readFileSync, watch } from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { promisify } from 'node:util';
import { type Engine, engines } from './crash-database';
import { passing, type Verdict } from './fault-proxy';
import { furnish, type Lived, liveThrough, type StoryKind, storyKinds } from './held-stories';
import { Random } from './random';
import { secretOf } from './send-signals';
import { World } from './world';

// More, or others: CRASH_HELD_ROUNDS=60 CRASH_SEED=7 npm run test:crash -- held
const rounds = Number(process.env.CRASH_HELD_ROUNDS ?? 8);
const seed = Number(process.env.CRASH_SEED ?? Date.now() % 1_000_000);
const root = join(__dirname, '../..');
/** Stories of each kind. */
const ofEachKind = 2;

/** Where a round strikes. What is counted begins with the round. */
type Blow =
  | { readonly at: 'database'; readonly write: number; readonly when: 'before' | 'after' }
  | { readonly at: 'provider'; readonly call: number; readonly when: 'before' | 'executed' | 'during' | 'after' }
  | { readonly at: 'mail'; readonly when: 'before' | 'after' }
  | { readonly at: 'time'; readonly milliseconds: number };

/** Of each sort in turn, in another order for each seed. */
const blowsOf = (random: Random): Blow[] => {
  const sorts: readonly (() => Blow)[] = [
    () => ({ at: 'database', write: 1 + random.below(120), when: 'before' }),
    () => ({ at: 'database', write: 1 + random.below(120), when: 'after' }),
    ...(['before', 'executed', 'during', 'after'] as const).map(
      (when) => (): Blow => ({ at: 'provider', call: 1 + random.below(5), when }),
    ),
    () => ({ at: 'mail', when: random.one(['before', 'after'] as const) }),
    () => ({ at: 'time', milliseconds: random.below(1_200) }),
  ];
  return Array.from({ length: rounds }, (_, round) => ({
    blow: (sorts[round % sorts.length] as () => Blow)(),
    chance: random.next(),
  }))
    .sort((a, b) => a.chance - b.chance)
    .map(({ blow }) => blow);
};

const isChange = (chunk: Buffer): boolean => /^(POST|DELETE) /.test(chunk.subarray(0, 7).toString('latin1'));

/** Arms one blow. Returns what says whether it struck, and what disarms it. */
const arm = (world: World, blow: Blow) => {
  const { gateway, toDatabase, toProvider, moments } = world;
  let struck = false;
  const strike = () => {
    if (struck) return;
    struck = true;
    gateway.kill();
  };
  let count = 0;
  const closing: (() => void)[] = [];
  switch (blow.at) {
    case 'database':
      if (toDatabase)
        toDatabase.judge = (): Verdict => {
          count += 1;
          if (count !== blow.write) return passing;
          if (blow.when === 'after') return { ...passing, after: strike };
          strike();
          return { request: 'drop', answer: 'pass' };
        };
      else {
        // The embedded engine has no line to cut: it is struck as its log grows, about a commit.
        const watcher = watch(dirname(world.log as string), (_, file) => {
          count += file?.endsWith('-wal') ? 1 : 0;
          if (count < blow.write) return;
          if (blow.when === 'before') strike();
          else setTimeout(strike, 2);
        });
        closing.push(() => watcher.close());
      }
      break;
    case 'provider':
      toProvider.judge = (chunk): Verdict => {
        if (!isChange(chunk)) return passing;
        count += 1;
        if (count !== blow.call) return passing;
        if (blow.when === 'before') {
          strike();
          return { request: 'drop', answer: 'pass' };
        }
        const after = () => void setTimeout(strike, 20);
        if (blow.when === 'executed') return { request: 'pass', answer: 'swallow', after };
        return { request: 'pass', answer: blow.when === 'during' ? 40 : 'pass', after };
      };
      break;
    case 'mail':
      if (blow.when === 'before') moments.onMail = strike;
      else moments.onMailTaken = () => void setTimeout(strike, 5);
      break;
    case 'time': {
      const timer = setTimeout(strike, blow.milliseconds);
      closing.push(() => clearTimeout(timer));
    }
  }
  return {
    strike,
    hasStruck: () => struck,
    disarm: () => {
      for (const close of closing) close();
      if (toDatabase) toDatabase.judge = () => passing;
      toProvider.judge = () => passing;
      moments.onMail = () => {};
      moments.onMailTaken = () => {};
    },
  };
};

/**
 * Whose story it is: what staff and customers hold is held of the same one at the same time. Of a rule's proposals a ticket has one, and whoever is to
 * step up is held in no other way.
 */
const personOf = (kind: StoryKind, turn: number): number => {
  const own: readonly StoryKind[] = ['release', 'approve', 'reject', 'step-up'];
  const shared: Partial<Readonly<Record<StoryKind, StoryKind>>> = {
    extend: 'release',
    expire: 'release',
    no: 'release',
    yes: 'approve',
  };
  return own.indexOf(shared[kind] ?? kind) * ofEachKind + turn;
};

const inForce = (): string => {
  const rule = /( {2}recovery-then-payment:\n {4}mode:) \w+/;
  const text = readFileSync('schema/rules.yaml', 'utf8');
  if (!rule.test(text)) throw new Error('schema/rules.yaml reads otherwise by now');
  return text.replace(rule, '$1 ON');
};

const permissive = (text: string): string =>
  text
    .replace(/(agentMinutes:) *\d+/, '$1 1440')
    .replace(/(agentDayMinutes:) *\d+/, '$1 1440')
    .replace(/(agentMost:) *\d+/, '$1 100')
    .replace(/(recognitions:[\s\S]*?perCustomerPerDay:) *\d+/, '$1 100');

type Leaf = {
  readonly action: string;
  readonly subject: { readonly id: string } | null;
  readonly detail: Readonly<Record<string, unknown>>;
};

describe.each(engines)(
  `holds, questions and step-ups at a gateway on %s that is killed ${rounds} times, seed ${seed}`,
  (engine: Engine) => {
    let world: World;
    let blocked: string;
    const lived: Lived[] = [];
    const subscriptions: string[] = [];
    const failures: string[] = [];
    const struck: Record<string, number> = {};
    let kills = 0;
    let seconds = 0;
    beforeAll(async () => {
      const began = Date.now();
      world = await World.start({
        engine,
        people: 12,
        size: 0.04,
        knownContacts: 'all',
        furnish: (provider, payer) => subscriptions.push(furnish(provider, payer)),
        rules: inForce(),
        policy: permissive,
        payments: { radarLists: { block: 'blocked' } },
        config: { signals: { sources: [{ name: 'shop', secrets: ['${SHOP_SECRET}'], helpdesk: 'demo', payments: 'stripe' }] } },
        environment: { SHOP_SECRET: secretOf('shop') },
      });
      if (world.people.length < 12) throw new Error(`only ${world.people.length} people`);
      blocked = world.provider.createValueList('blocked', 'customer_id').id;
      const random = new Random(seed);
      const stories = storyKinds
        .flatMap((kind) => Array.from({ length: ofEachKind }, (_, turn) => ({ kind, turn })))
        .map((story, number) => ({ ...story, number, chance: random.next(), luck: new Random(seed + number) }))
        .sort((a, b) => a.chance - b.chance);
      const running: Promise<unknown>[] = [];
      for (const [round, blow] of blowsOf(random).entries()) {
        const armed = arm(world, blow);
        const share = Math.ceil(stories.length / Math.max(1, rounds));
        for (const story of stories.slice(round * share, (round + 1) * share)) {
          const person = world.people[personOf(story.kind, story.turn)] as World['people'][number];
          running.push(
            liveThrough(world, { ...story, person }).then(
              (each) => lived.push(each),
              (error) => failures.push(`${story.kind} ${story.turn} of ${person.ticketReference}: ${error}`),
            ),
          );
        }
        for (const late = Date.now() + 3_000; !armed.hasStruck() && Date.now() < late; ) await pause(20);
        const name = `${blow.at}${'when' in blow ? ` ${blow.when}` : ''}`;
        const key = armed.hasStruck() ? name : 'not met';
        struck[key] = (struck[key] ?? 0) + 1;
        armed.strike();
        armed.disarm();
        await world.gateway.isUpAgain();
      }
      await Promise.all(running);
      await atRest();
      kills = world.gateway.kills;
      seconds = Math.round((Date.now() - began) / 1_000);
    });
    afterAll(async () => {
      if (lived.length > 0)
        process.stderr.write(
          `${JSON.stringify({ engine, seed, rounds, kills, seconds, stories: lived.length, struck, lost: await lost(), mails: mails(), links: await counted('recognition_link'), calls: world.provider.executions.length })}\n`,
        );
      await world?.close();
    });

    const counted = async (table: string, where = '1 = 1'): Promise<number> =>
      Number((await world.query<{ n: number }>(`SELECT COUNT(*) AS n FROM ${table} WHERE ${where}`))[0]?.n);
    const mails = () => world.people.reduce((sum, person) => sum + world.tokensFor(person).length, 0);
    const leaves = async (...actions: readonly string[]): Promise<readonly Leaf[]> =>
      (
        await world.query<{ leaf: Buffer }>(
          `SELECT leaf FROM audit_event WHERE action IN (${actions.map((each) => `'${each}'`).join(', ')}) ORDER BY id`,
        )
      ).map(({ leaf }) => JSON.parse(leaf.toString('utf8')) as Leaf);
    const lost = async () => (await leaves('hold.effect')).filter(({ detail }) => detail.state === 'LOST').length;
    const ofKind = (...kinds: readonly StoryKind[]) => lived.filter(({ kind }) => kinds.includes(kind));

    /** Nothing is under way any more, neither at the provider nor on its way to a customer nor into the log. */
    const atRest = async (): Promise<void> => {
      for (const late = Date.now() + 40_000; Date.now() < late; await pause(200)) {
        const left = await Promise.all([
          counted('payment_hold', "state IN ('PLACING', 'RELEASING')"),
          counted('payment_hold_step', "state IN ('PLANNED', 'INTENDED', 'LOST')"),
          counted('recognition_job', "state = 'PENDING'"),
          counted('audit_pending'),
        ]);
        if (left.every((count) => count === 0)) return;
      }
      throw new Error(`it doesn’t come to rest:\n${world.gateway.said.join('')}`);
    };

    const command = async (...words: readonly string[]): Promise<string> => {
      const { PATH = '', HOME = '' } = process.env;
      const { stdout } = await promisify(execFile)(process.execPath, [join(root, 'dist/src/cli/counterfoil.js'), ...words], {
        cwd: root,
        env: { PATH, HOME, ...world.environment },
        encoding: 'utf8',
        maxBuffer: 64 * 1_048_576,
      }).catch((error: { stdout: string }) => error);
      return stdout;
    };

    it('all come to what they were to come to', () => {
      expect(failures).toEqual([]);
      expect(kills).toBeGreaterThanOrEqual(rounds);
      expect(lived).toHaveLength(storyKinds.length * ofEachKind);
      const ends: Record<StoryKind, string> = {
        release: 'RELEASED',
        extend: 'RELEASED',
        expire: 'EXPIRED',
        approve: 'RELEASED',
        reject: 'REJECTED',
        no: 'DISOWNED',
        yes: 'RECOGNIZED',
        'step-up': 'SATISFIED',
      };
      expect(lived.filter(({ kind, state }) => state !== ends[kind])).toEqual([]);
      expect(ofKind('step-up').filter(({ verdict }) => verdict === 'STEP_UP')).toEqual([]);
    });

    it('leave one hold for each that was asked for, one for each no, and none for a yes', async () => {
      const holds = await world.query<{ id: string; cause: string }>('SELECT id, cause FROM payment_hold');
      expect(holds.map(({ id }) => id).sort()).toEqual(lived.flatMap(({ holdId }) => holdId ?? []).sort());
      const placed = (await leaves('hold.place', 'hold.propose')).map(({ subject }) => subject?.id);
      expect([...placed].sort()).toEqual(holds.map(({ id }) => id).sort());
      expect(holds.filter(({ cause }) => cause === 'CUSTOMER')).toHaveLength(ofKind('no').length);
      expect(ofKind('yes').filter(({ holdId }) => holdId !== null)).toEqual([]);
      // A supervisor's word counts once, and so does each end.
      for (const [action, kind] of [
        ['hold.approve', 'approve'],
        ['hold.reject', 'reject'],
      ] as const)
        expect((await leaves(action)).map(({ subject }) => subject?.id).sort()).toEqual(
          ofKind(kind)
            .map(({ holdId }) => holdId)
            .sort(),
        );
      const extended = (await leaves('hold.extend')).map(({ subject }) => subject?.id);
      expect(ofKind('extend').filter(({ holdId }) => extended.filter((id) => id === holdId).length !== 1)).toEqual([]);
    });

    it('leave at the provider what the holds say that stand, and nothing of those that ended', async () => {
      const effects = await world.query<{ ticket: string; hold: string; kind: string; state: string; by: string }>(
        `SELECT h.ticket_id AS ticket, h.state AS hold, e.kind, e.state, e.enforced_by AS \`by\`
         FROM payment_hold h JOIN payment_hold_effect e ON e.hold_id = h.id`,
      );
      const open = effects.filter(({ hold }) => hold === 'ACTIVE');
      expect(open.map(({ kind, state, by }) => `${kind} ${state} ${by}`).sort()).toEqual(
        ofKind('no')
          .flatMap(() => ['BLOCK_NEW APPLIED PROVIDER', 'DEFER_CAPTURE APPLIED PIPELINE', 'HOLD_ORDER APPLIED PIPELINE'])
          .sort(),
      );
      expect(
        effects.filter(
          ({ hold, state }) => hold !== 'ACTIVE' && hold !== 'REJECTED' && !['REVERSED', 'NOT_POSSIBLE'].includes(state),
        ),
      ).toEqual([]);
      const payerOf = new Map(world.people.map(({ ticketId, payer }) => [ticketId, payer]));
      const standing = open.filter(({ kind }) => kind === 'BLOCK_NEW').map(({ ticket }) => payerOf.get(ticket));
      const { provider } = world;
      expect(
        provider
          .valueListItems(blocked)
          .map(({ value }) => value)
          .sort(),
      ).toEqual([...new Set(standing)].sort());
      expect(subscriptions.filter((id) => provider.get(id).pause_collection !== null)).toEqual([]);
    });

    it('make no call twice, and each that was made is told as done, or was taken back', async () => {
      const calls = new Map<string, number>();
      const made = new Set<string>();
      for (const { key, path } of world.provider.executions) {
        const [, step, of = ''] = /^(hld_\w+\/\d+)\/\d+(~.*)?$/.exec(key ?? '') ?? [];
        // A deletion has no key, and what it deletes is there once.
        const name = step === undefined ? path : `${step}${of}`;
        if (step !== undefined && of === '') made.add(step);
        calls.set(name, (calls.get(name) ?? 0) + 1);
      }
      expect([...calls].filter(([, count]) => count > 1)).toEqual([]);
      const steps = await world.query<{ step: string; state: string; sent: number | null }>(
        "SELECT CONCAT(hold_id, '/', ordinal) AS step, state, key_used_at AS sent FROM payment_hold_step",
      );
      const told = steps.filter(({ state }) => state === 'DONE').map(({ step }) => step);
      // What a hold was let go in the middle of isn't followed up: it counts as made, and is taken back.
      const takenBack = steps.filter(({ state, sent }) => state === 'DROPPED' && sent !== null).map(({ step }) => step);
      expect(made.size).toBeGreaterThan(0);
      expect([...made].filter((step) => !told.includes(step) && !takenBack.includes(step))).toEqual([]);
      const ends = new Map<string, number>();
      for (const { subject, detail } of await leaves('hold.effect'))
        if (detail.state === 'DONE') {
          const step = `${subject?.id}/${String(detail.step)}`;
          ends.set(step, (ends.get(step) ?? 0) + 1);
        }
      expect([...ends.keys()].sort()).toEqual([...told].sort());
      expect([...ends].filter(([, count]) => count > 1)).toEqual([]);
    });

    it('ask each customer once, or say in the log how often a mail may have left; each answer counts once', async () => {
      const questions = await world.query<{ id: string; ticket: string; links: number; sent: number | null }>(
        `SELECT r.id, r.ticket_id AS ticket, r.sent_at AS sent, (SELECT COUNT(*) FROM recognition_link l WHERE l.recognition_id = r.id) AS links
         FROM recognition r`,
      );
      const ids = ofKind('no', 'yes').map(({ questionId }) => questionId);
      expect(questions.map(({ id }) => id).sort()).toEqual([...ids].sort());
      for (const { ticketId, ...person } of world.people) {
        const own = questions.filter(({ ticket }) => ticket === ticketId);
        const links = own.reduce((sum, each) => sum + Number(each.links), 0);
        const came = world.tokensFor({ ticketId, ...person });
        expect(new Set(came).size).toBe(came.length);
        expect(came.length).toBeGreaterThanOrEqual(own.length);
        expect(came.length).toBeLessThanOrEqual(links);
      }
      const of = async (action: string) => (await leaves(action)).map(({ subject }) => subject?.id).sort();
      expect(await of('recognition.ask')).toEqual([...ids].sort());
      expect(await of('recognition.answer')).toEqual([...ids].sort());
      expect(await of('recognition.link-sent')).toEqual(
        questions
          .filter(({ sent }) => sent !== null)
          .map(({ id }) => id)
          .sort(),
      );
      expect(await of('recognition.link')).toHaveLength(await counted('recognition_link'));
    });

    it('meet each demand once, by a proof that counts for no other', async () => {
      const ids = ofKind('step-up').flatMap(({ demandId }) => demandId ?? []);
      const met = await world.query<{ id: string; proof: string }>(
        "SELECT id, proof_digest AS proof FROM step_up_demand WHERE state = 'SATISFIED'",
      );
      expect(met.map(({ id }) => id).sort()).toEqual([...ids].sort());
      expect(new Set(met.map(({ proof }) => proof)).size).toBe(met.length);
      expect((await leaves('demand.satisfy')).map(({ subject }) => subject?.id).sort()).toEqual([...ids].sort());
    });

    it('leave rows that the doctor finds in the log as they are, and a log that verifies', async () => {
      const { findings } = JSON.parse(await command('doctor', '--json', '--no-sources')) as {
        findings: readonly { about: string; message: string }[];
      };
      // Of the server and its users there is nothing that a test’s own has to be.
      expect(findings.filter(({ about }) => about !== 'grants' && about !== 'server')).toEqual([]);
      const file = join(world.environment.DATA_DIR as string, 'export.ndjson');
      await command('audit', 'export', '--out', file);
      const verdict = JSON.parse(await command('audit', 'verify', '--json', '--strict', file)) as { ok: boolean };
      expect(verdict.ok).toBe(true);
    });
  },
);
