import { credentialUpdateKinds } from '../../src/authz/policy/update-policy';
import { clear, type Ended, liveThrough, stage } from './customer-update';
import { type FaultProxy, passing, type Verdict } from './fault-proxy';
import { Random } from './random';
import { World } from './world';

const rounds = Number(process.env.CRASH_ROUNDS ?? 300);
const seed = Number(process.env.CRASH_SEED ?? Date.now() % 1_000_000);
/** Updates that are under way at once in a round. */
const perRound = 3;

/** Where a round strikes. What is counted begins with the round, so every step between request and applied is met by some number. */
type Blow =
  | { readonly at: 'database'; readonly packet: number; readonly when: 'before' | 'after' }
  | {
      readonly at: 'provider';
      readonly call: number;
      readonly when: 'before' | 'executed' | 'during' | 'after';
      readonly kill: boolean;
    }
  | { readonly at: 'provider-fault'; readonly call: number; readonly executed: boolean }
  | { readonly at: 'mail' | 'message' }
  | { readonly at: 'time'; readonly milliseconds: number };

const blowOf = (random: Random): Blow => {
  const kind = random.below(10);
  if (kind < 4) return { at: 'database', packet: 1 + random.below(260), when: random.one(['before', 'after'] as const) };
  if (kind < 7)
    return {
      at: 'provider',
      call: 1 + random.below(8),
      when: random.one(['before', 'executed', 'during', 'after'] as const),
      kill: random.next() < 0.6,
    };
  if (kind < 8) return { at: 'provider-fault', call: 1 + random.below(6), executed: random.next() < 0.5 };
  if (kind < 9) return { at: random.one(['mail', 'message'] as const) };
  return { at: 'time', milliseconds: random.below(1_500) };
};

const isCall = (chunk: Buffer): boolean => chunk.subarray(0, 5).toString('latin1') === 'POST ';

/** Arms one blow. Returns what disarms it and says whether it struck. */
const arm = (world: World, blow: Blow): (() => boolean) => {
  const { gateway, toProvider, provider, moments } = world;
  const toDatabase = world.toDatabase as FaultProxy;
  let struck = false;
  const strike = (kill = true) => {
    struck = true;
    if (kill) gateway.kill();
  };
  let count = 0;
  const once = (position: number, verdict: () => Verdict) => (): Verdict => {
    count += 1;
    return count === position && !struck ? verdict() : passing;
  };
  let timer: NodeJS.Timeout | undefined;
  switch (blow.at) {
    case 'database':
      toDatabase.judge = once(blow.packet, () => {
        if (blow.when === 'after') return { ...passing, after: () => strike() };
        strike();
        return { request: 'drop', answer: 'pass' };
      });
      break;
    case 'provider': {
      const { when, kill } = blow;
      const verdict = once(blow.call, () => {
        strike(kill && when === 'before');
        if (when === 'before') return { request: 'drop', answer: 'pass' };
        // Executed, and nobody hears of it: with the gateway gone, or still there and waiting.
        const after = () => {
          if (kill) setTimeout(() => gateway.kill(), 20);
        };
        if (when === 'executed') return { request: 'pass', answer: 'swallow', after };
        return { request: 'pass', answer: when === 'during' ? 40 : 0, after };
      });
      toProvider.judge = (chunk) => (isCall(chunk) ? verdict() : passing);
      break;
    }
    case 'provider-fault': {
      const verdict = once(blow.call, () => {
        strike(false);
        provider.failNext(
          1,
          { kind: 'status', status: 500, executed: blow.executed, stored: true },
          /\/(attach|detach|payment_methods\/|customers\/|subscriptions\/)/,
        );
        return passing;
      });
      toProvider.judge = (chunk) => (isCall(chunk) ? verdict() : passing);
      break;
    }
    case 'mail':
      moments.onMail = () => struck || strike();
      break;
    case 'message':
      moments.onShortMessage = () => struck || strike();
      break;
    case 'time':
      timer = setTimeout(strike, blow.milliseconds);
      break;
  }
  return () => {
    clearTimeout(timer);
    toDatabase.judge = () => passing;
    toProvider.judge = () => passing;
    moments.onMail = () => {};
    moments.onShortMessage = () => {};
    provider.recover();
    return struck;
  };
};

/** What holds at the provider after an update, in words that a failure prints. */
const standing = ({ provider }: World, { person, method, other, subscriptions, replacement }: Ended) => {
  const find = (id: string | null) => (id === null ? null : provider.find(id));
  const name = (id: unknown) =>
    id === method ? 'method' : id === other ? 'other' : id === replacement && id !== null ? 'new' : id;
  const { invoice_settings } = provider.get(person.payer) as unknown as { invoice_settings: { default_payment_method: string } };
  return {
    method: find(method)?.customer === person.payer,
    replacement: find(replacement)?.customer === person.payer,
    default: name(invoice_settings.default_payment_method),
    subscriptions: subscriptions.map((id) => name(provider.get(id).default_payment_method)),
    line1:
      (find(method) as { billing_details?: { address?: { line1?: unknown } } } | null)?.billing_details?.address?.line1 ?? null,
  };
};

/** What must hold at the provider: all of the update where it was applied, nothing of it where it failed. */
const expected = ({ kind, state, line1 }: Ended): ReturnType<typeof standing> => {
  const on = (name: string) => ({ default: name, subscriptions: [name, name] });
  const untouched = { method: true, replacement: false, ...on(kind === 'REPLACE_CARD' ? 'method' : 'other'), line1: null };
  if (state !== 'APPLIED') return untouched;
  switch (kind) {
    case 'SET_DEFAULT':
      return { ...untouched, ...on('method') };
    case 'BILLING_ADDRESS':
      return { ...untouched, line1 };
    case 'REMOVE':
      return { ...untouched, method: false };
    case 'REPLACE_CARD':
      return { method: false, replacement: true, ...on('new'), line1: null };
  }
};

describe(`${rounds} rounds of killing and cutting off, seed ${seed}`, () => {
  let world: World;
  const updates: Ended[] = [];
  const mismatches: unknown[] = [];
  const met: Record<string, number> = {};
  const missed: Record<string, number> = {};
  beforeAll(async () => {
    world = await World.start();
    const random = new Random(seed);
    const began = Date.now();
    for (let round = 0; round < rounds; round += 1) {
      const blow = blowOf(random);
      const people = world.people.map((person) => ({ person, chance: random.next() })).sort((a, b) => a.chance - b.chance);
      const staged = people
        .slice(0, perRound)
        .map(({ person }, index) => stage(world, person, random.one(credentialUpdateKinds), round * perRound + index));
      const disarm = arm(world, blow);
      const lived = await Promise.all(staged.map((each, index) => liveThrough(world, each, round * perRound + index)));
      const name = 'when' in blow ? `${blow.at} ${blow.when}${'kill' in blow && !blow.kill ? ' (cut off)' : ''}` : blow.at;
      const tally = disarm() ? met : missed;
      tally[name] = (tally[name] ?? 0) + 1;
      for (const ended of lived) {
        updates.push(ended);
        const [is, should] = [standing(world, ended), expected(ended)];
        if (JSON.stringify(is) !== JSON.stringify(should)) mismatches.push({ round, blow, ended, is, should });
        clear(world, ended, ended.replacement);
      }
      if ((round + 1) % 25 === 0)
        process.stderr.write(
          `  ${round + 1} of ${rounds} rounds, ${world.gateway.kills} kills, ${Math.round((Date.now() - began) / 1_000)} s\n`,
        );
    }
  });
  afterAll(async () => {
    const states: Record<string, number> = {};
    for (const { kind, state, failure } of updates) {
      const key = `${kind} ${state}${failure === null ? '' : ` ${failure}`}`;
      states[key] = (states[key] ?? 0) + 1;
    }
    process.stderr.write(
      `${JSON.stringify({ seed, rounds, updates: updates.length, kills: world?.gateway.kills, states, struck: met, missed, calls: world?.provider.executions.length }, null, 1)}\n`,
    );
    await world?.close();
  });

  it('leave no update that is neither applied nor ended with its reason', () => {
    expect(updates).toHaveLength(rounds * perRound);
    expect(updates.filter(({ state, failure }) => state !== 'APPLIED' && !(state === 'FAILED' && failure !== null))).toEqual([]);
  });

  it('leave at the provider all of an update that was applied and nothing of one that was not', () => {
    expect(mismatches).toEqual([]);
  });

  it('make no call twice', () => {
    const calls = new Map<string, number>();
    for (const { key, path } of world.provider.executions) {
      // A call again under another key would show as one too many of the same step.
      const step = `${(key ?? '').split('/').slice(0, 2).join('/')} ${path}`;
      calls.set(step, (calls.get(step) ?? 0) + 1);
    }
    expect([...calls].filter(([, count]) => count > 1)).toEqual([]);
    expect(calls.size).toBeGreaterThanOrEqual(updates.filter(({ state }) => state === 'APPLIED').length);
  });

  it('leave no transition without its event, and no event without its transition', async () => {
    const [transitions] = await world.database.query(
      'SELECT update_id, ordinal, from_state, to_state, at FROM credential_transition ORDER BY update_id, ordinal',
    );
    const [events] = await world.database.query(
      "SELECT subject_id, leaf FROM audit_event WHERE subject_type = 'CredentialUpdate'",
    );
    const told = (events as { subject_id: string; leaf: Buffer }[])
      .map(({ subject_id, leaf }) => ({
        subject_id,
        ...(JSON.parse(leaf.toString('utf8')) as { at: string; detail: { from?: string | null; to?: string } }),
      }))
      .filter(({ detail }) => detail.to !== undefined)
      .map(({ subject_id, at, detail }) => `${subject_id} ${detail.from ?? '-'} ${detail.to} ${at}`);
    const made = (transitions as { update_id: string; from_state: string | null; to_state: string; at: number }[]).map(
      ({ update_id, from_state, to_state, at }) => `${update_id} ${from_state ?? '-'} ${to_state} ${new Date(at).toISOString()}`,
    );
    expect(made.length).toBeGreaterThan(updates.length * 3);
    expect([...told].sort()).toEqual([...made].sort());
  });

  it('leave no gap in a history, and no state that its history does not end in', async () => {
    const [rows] = await world.database.query(
      `SELECT u.id, u.state, u.moves, COUNT(t.id) AS n, MAX(t.ordinal) AS last,
              (SELECT to_state FROM credential_transition x WHERE x.update_id = u.id AND x.ordinal = u.moves) AS told
         FROM credential_update u JOIN credential_transition t ON t.update_id = u.id GROUP BY u.id, u.state, u.moves`,
    );
    const wrong = (rows as { state: string; moves: number; n: number; last: number; told: string }[]).filter(
      ({ state, moves, n, last, told }) => Number(n) !== Number(moves) || Number(last) !== Number(moves) || told !== state,
    );
    expect({ updates: (rows as unknown[]).length, wrong }).toEqual({ updates: updates.length, wrong: [] });
  });
});
