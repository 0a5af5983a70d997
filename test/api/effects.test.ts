import { effectKey, type Happening, isPending, planned } from '../../src/background/effect';
import { type CallOutcome, Effects, type OtherSide } from '../../src/background/effects';
import type { Database } from '../../src/db/database';
import { sql } from '../../src/db/sql';
import { select } from '../../src/db/table';
import { CredentialStep, credentialSteps } from '../../src/features/credentials/credential-update.entity';
import { temporaryDatabase } from '../support/database';

const hour = 3_600_000;
const keyLifetime = 23 * hour;
/** When the other side forgets a key. */
const memory = 24 * hour;

class Unsent extends Error {}
class Killed extends Error {}

let database: Database;
let remove: () => Promise<void>;
let now = 1_800_000_000_000;
beforeEach(async () => {
  now = 1_800_000_000_000;
  ({ database, remove } = await temporaryDatabase({ clock: () => new Date(now) }));
});
afterEach(() => remove());

const fact = { subject: { type: 'Actor', id: 'act_1' }, detail: { identity: 'digest' } } as const;
const step = credentialSteps;
const rows = select(step.pick('id', 'state', 'keyGeneration', 'keyUsedAt', 'keySpent', 'refusal'), sql`FROM ${step}`);

const write = (id: string) =>
  database.system('worker', 'actor.first-seen', async (change) => {
    await change.insert(step, {
      id,
      updateId: id,
      ordinal: 1,
      phase: 'APPLY',
      action: 'DETACH',
      keyId: 'key_1',
      stepSealed: Buffer.from('call'),
      undoSealed: null,
      ...planned(),
    });
    change.record('actor.first-seen', fact);
  });
const opened = async (id: string) => {
  const [row] = await database.read(rows, sql`WHERE ${step.id} = ${id}`);
  if (!row) throw new RangeError(id);
  return { ...row, call: id, key: effectKey(id, row) };
};

interface Worker {
  readonly told?: string[];
  /** Asked before each change is committed. */
  readonly mayCommit?: () => boolean;
}
const worker = ({ told: seen = [], mayCommit = () => true }: Worker = {}) =>
  new Effects<{ renewLease(): Promise<void> }, CredentialStep, null, string>({
    change: (_, work) =>
      database.system('worker', 'actor.first-seen', async (change) => {
        const result = await work(change, null);
        if (!mayCommit()) throw new Killed();
        return result;
      }),
    lock: (change, id) => change.lock(CredentialStep, { id }),
    told: async ({ change, effect }, { happened }: Happening<string>) => {
      seen.push(`${happened} ${effect.state} ${effect.keyGeneration}`);
      change.record('actor.first-seen', fact);
    },
    isUnsent: (error) => error instanceof Unsent,
    keyLifetime,
  });
const job = { renewLease: async () => {} };

/** Does what it is told once for each key that it remembers, and once more for any other. */
class Side implements OtherSide<string, string> {
  readonly effects = new Map<string, number>();
  readonly keys: string[] = [];
  private readonly known = new Map<string, number>();

  arrive(call: string, key: string): void {
    this.keys.push(key);
    if ((this.known.get(key) ?? Number.NEGATIVE_INFINITY) > now - memory) return;
    this.known.set(key, now);
    this.effects.set(call, (this.effects.get(call) ?? 0) + 1);
  }

  async perform(call: string, key: string): Promise<CallOutcome<string>> {
    this.arrive(call, key);
    return { outcome: 'done' };
  }

  async holds(call: string): Promise<boolean> {
    return this.effects.has(call);
  }
}

describe('a call to the outside', () => {
  it('is intended before it is made, and done afterwards', async () => {
    await write('cst_1');
    const told: string[] = [];
    const seen: unknown[] = [];
    const side = new Side();
    const perform = side.perform.bind(side);
    side.perform = async (call, key) => {
      seen.push((await opened(call)).state);
      return perform(call, key);
    };
    expect(await worker({ told }).advance(job, side, await opened('cst_1'))).toBeNull();
    expect({ seen, told, keys: side.keys }).toEqual({
      seen: ['INTENDED'],
      told: ['intended INTENDED 1', 'done DONE 1'],
      keys: ['cst_1/1'],
    });
  });

  it('that didn’t leave was never sent', async () => {
    await write('cst_1');
    const side = new Side();
    side.perform = async () => {
      throw new Unsent();
    };
    await expect(worker().advance(job, side, await opened('cst_1'))).rejects.toThrow(Unsent);
    expect(await opened('cst_1')).toMatchObject({ state: 'PLANNED', keyUsedAt: null, keyGeneration: 1 });
  });

  it('that was refused is refused, but not where it holds already, and is asked about where nobody can say', async () => {
    for (const id of ['cst_1', 'cst_2', 'cst_3']) await write(id);
    const side = new Side();
    side.perform = async () => ({ outcome: 'refused', why: 'GONE' });
    side.holds = async (call) => {
      if (call === 'cst_3') throw new Unsent();
      return call === 'cst_2';
    };
    const answers = [];
    for (const id of ['cst_1', 'cst_2', 'cst_3']) answers.push(await worker().advance(job, side, await opened(id)));
    expect(answers).toEqual([null, null, 'lost']);
    expect(await opened('cst_1')).toMatchObject({ state: 'REFUSED', refusal: 'GONE' });
    expect(await opened('cst_2')).toMatchObject({ state: 'DONE', refusal: null });
    expect(await opened('cst_3')).toMatchObject({ state: 'LOST', refusal: null });
  });

  it('whose answer was a fault is asked about, and made with another key', async () => {
    await write('cst_1');
    const side = new Side();
    const perform = side.perform.bind(side);
    side.perform = async (_, key) => {
      side.keys.push(key);
      return { outcome: 'lost', keySpent: true };
    };
    expect(await worker().advance(job, side, await opened('cst_1'))).toBe('lost');
    side.perform = perform;
    await worker().advance(job, side, await opened('cst_1'));
    await worker().advance(job, side, await opened('cst_1'));
    expect([side.keys, (await opened('cst_1')).state]).toEqual([['cst_1/1', 'cst_1/2'], 'DONE']);
  });

  it('isn’t made with a key that may be forgotten: a call under it may have arrived since somebody asked', async () => {
    await write('cst_1');
    const side = new Side();
    const perform = side.perform.bind(side);
    const told: string[] = [];
    const advance = async () => worker({ told }).advance(job, side, await opened('cst_1'));
    // On its way for longer than anybody waits.
    side.perform = async () => ({ outcome: 'lost', keySpent: false });
    await advance();
    await advance();
    side.perform = async () => {
      throw new Unsent();
    };
    await expect(advance()).rejects.toThrow(Unsent);
    side.arrive('cst_1', 'cst_1/1');
    now += memory + hour;
    side.perform = perform;
    await advance();
    expect(side.effects).toEqual(new Map([['cst_1', 1]]));
    expect(told).toEqual([
      'intended INTENDED 1',
      'lost LOST 1',
      'absent PLANNED 1',
      'intended INTENDED 1',
      'not-sent PLANNED 1',
      'done DONE 1',
    ]);
  });

  it('has its effect once, wherever processes end, calls and answers are lost, and calls arrive late', async () => {
    let seed = 1;
    const random = () => {
      seed = (seed * 48_271) % 2_147_483_647;
      return seed / 2_147_483_647;
    };
    const kinds = { killed: 0, unsent: 0, lost: 0, late: 0 };
    for (let n = 1; n <= 60; n += 1) {
      const id = `cst_${n}`;
      await write(id);
      const late: string[] = [];
      const side = new Side();
      const perform = side.perform.bind(side);
      side.perform = async (call, key) => {
        const chance = random();
        if (chance < 0.15) {
          kinds.unsent += 1;
          throw new Unsent();
        }
        if (chance < 0.3) {
          kinds.late += 1;
          late.push(key);
          return { outcome: 'lost', keySpent: false };
        }
        const outcome = await perform(call, key);
        if (chance < 0.45) {
          kinds.killed += 1;
          throw new Killed();
        }
        if (chance < 0.6) kinds.lost += 1;
        return chance < 0.6 ? { outcome: 'lost', keySpent: false } : outcome;
      };
      const mayCommit = () => random() > 0.2;
      for (let tries = 0; isPending(await opened(id)) && tries < 60; tries += 1) {
        await worker({ mayCommit })
          .advance(job, side, await opened(id))
          .catch((error) => expect(error instanceof Killed || error instanceof Unsent).toBe(true));
        // What was on its way arrives before its key is forgotten.
        now += random() * 4 * hour;
        if (random() < 0.5) for (const key of late.splice(0)) side.arrive(id, key);
      }
      expect({ id, state: (await opened(id)).state, effects: side.effects.get(id) }).toEqual({ id, state: 'DONE', effects: 1 });
    }
    expect(Math.min(...Object.values(kinds))).toBeGreaterThan(3);
  });
});
