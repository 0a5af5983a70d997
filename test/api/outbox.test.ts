import { dueFrom, jobTable } from '../../src/background/job-table';
import { type ClaimedJob, type JobHandler, type JobResult, LeaseLost, Outbox } from '../../src/background/outbox';
import { Database } from '../../src/db/database';
import { sql } from '../../src/db/sql';
import { select } from '../../src/db/table';
import { credentialJobs, type JobKind, jobKinds } from '../../src/features/credentials/credential-update.entity';
import { databaseParts, engine, temporaryDatabase } from '../support/database';

type Job = ClaimedJob<JobKind, 'updateId'>;
type Handler = JobHandler<JobKind, 'updateId'>;

const lease = 60_000;
const job = credentialJobs;
const rows = select(job.pick('id', 'state', 'attempts', 'nextAt', 'leaseUntil', 'leaseHolder', 'fault'), sql`FROM ${job}`);

/** A promise, and what fulfils it. */
const gate = <T = void>() => {
  let open: (value: T) => void = () => {};
  const opened = new Promise<T>((resolve) => {
    open = resolve;
  });
  return { opened, open };
};

let database: Database;
/** Another process's; an embedded database has one process. */
let others: Database;
let remove: () => Promise<void>;
let now = 1_800_000_000_000;
const clock = () => new Date(now);

beforeEach(async () => {
  const temporary = await temporaryDatabase({ clock });
  database = temporary.database;
  others = engine === 'sqlite' ? database : await Database.open(temporary.location, databaseParts, { clock, migrate: false });
  remove = async () => {
    if (others !== database) await others.close();
    await temporary.remove();
  };
});
afterEach(() => remove());

const write = (id: string, updateId: string, kind: JobKind = 'LINK', nextAt = clock()) =>
  database.system('delivery', 'actor.first-seen', async (change) => {
    await change.insert(job, { id, updateId, kind, ...dueFrom(nextAt) });
    change.record('actor.first-seen', { subject: { type: 'Actor', id: 'act_1' }, detail: { identity: 'digest' } });
  });

/** A change in the job's course: it commits only while the job is this process's. */
const changeOf = (of: Database, { renewLease }: Job) =>
  of.system('delivery', 'actor.first-seen', async (change) => {
    await renewLease(change);
    change.record('actor.first-seen', { subject: { type: 'Actor', id: 'act_2' }, detail: { identity: 'digest' } });
  });
const changes = async () =>
  Number((await database.query("SELECT COUNT(*) AS n FROM audit_event WHERE subject_id = 'act_2'"))[0]?.n);

const stored = async (id: string) => (await database.read(rows, sql`WHERE ${job.id} = ${id}`))[0];
const states = async () =>
  Object.fromEntries((await database.read(rows, sql`ORDER BY ${job.id}`)).map(({ id, state }) => [id, state]));

interface Options {
  readonly of?: Database;
  readonly isInOrder?: boolean;
  readonly width?: number;
  readonly handler?: Partial<Handler>;
  readonly faults?: string[];
}
const outbox = (run: (job: Job) => Promise<JobResult>, options: Options = {}) => {
  const { of = database, isInOrder = false, width, handler, faults = [] } = options;
  const made: Handler = { mostTries: 3, giveUp: async () => true, ...handler, run };
  return new Outbox({
    database: of,
    jobs: isInOrder ? jobTable(job, { subject: 'updateId', inOrderOf: 'id' }) : jobTable(job, { subject: 'updateId' }),
    handlers: Object.fromEntries(jobKinds.map((kind) => [kind, made])) as Record<JobKind, Handler>,
    lease,
    ...(width === undefined ? {} : { width }),
    clock,
    faultOf: (error) => (error instanceof RangeError ? 'out-of-range' : null),
    onFault: ({ kind, subject, fault }) => faults.push(`${kind} ${subject} ${fault}`),
  });
};

describe('an outbox', () => {
  it('does what is due, and says what it is about under its column’s name', async () => {
    await write('job_1', 'cru_1', 'LINK');
    await write('job_2', 'cru_2', 'NOTICE', new Date(now + 1));
    const done: unknown[] = [];
    const box = outbox(async ({ id, updateId, kind, attempts }) => {
      done.push([id, updateId, kind, attempts]);
      return 'done';
    });
    await box.drain();
    expect(done).toEqual([['job_1', 'cru_1', 'LINK', 0]]);
    now += 1;
    await box.drain();
    expect(done).toEqual([
      ['job_1', 'cru_1', 'LINK', 0],
      ['job_2', 'cru_2', 'NOTICE', 0],
    ]);
    expect(await states()).toEqual({ job_1: 'DONE', job_2: 'DONE' });
    expect(await box.counts()).toEqual([]);
  });

  it('has no more under way at a time than its width', async () => {
    for (const n of [1, 2, 3, 4, 5]) await write(`job_${n}`, `cru_${n}`);
    let running = 0;
    let most = 0;
    const box = outbox(
      async (each) => {
        running += 1;
        most = Math.max(most, running);
        await changeOf(database, each);
        running -= 1;
        return 'done';
      },
      { width: 2 },
    );
    await box.drain();
    expect({ most, done: Object.values(await states()) }).toEqual({ most: 2, done: new Array(5).fill('DONE') });
  });

  it('looks again when a job says so, and counts that as no try', async () => {
    await write('job_1', 'cru_1');
    const attempts: number[] = [];
    const box = outbox(async (each) => {
      attempts.push(each.attempts);
      return attempts.length < 4 ? { again: 5_000 } : 'done';
    });
    for (let look = 1; look <= 4; look += 1) {
      await box.drain();
      now += 4_999;
      await box.drain();
      expect(attempts).toHaveLength(look);
      now += 1;
    }
    expect([attempts, await states()]).toEqual([[0, 0, 0, 0], { job_1: 'DONE' }]);
  });

  it('looks now at what waits of the subjects that it is told', async () => {
    await write('job_1', 'cru_1', 'SETUP', new Date(now + 60_000));
    await write('job_2', 'cru_2', 'SETUP', new Date(now + 60_000));
    await write('job_3', 'cru_1', 'LINK', new Date(now + 60_000));
    const box = outbox(async () => 'done');
    await box.hastenOf('SETUP', sql`SELECT 'cru_1'`);
    await box.drain();
    expect(await states()).toEqual({ job_1: 'DONE', job_2: 'PENDING', job_3: 'PENDING' });
  });
});

describe('a try that gets nowhere', () => {
  it('is made again after pauses that double, each a fifth longer or shorter', async () => {
    await write('job_1', 'cru_1');
    const faults: string[] = [];
    const box = outbox(
      async () => {
        throw new RangeError('who knows what');
      },
      { faults, handler: { mostTries: 100 } },
    );
    for (const seconds of [2, 4, 8, 16, 32, 64, 128, 256, 512, 1_024, 2_048, 3_600, 3_600]) {
      await box.drain();
      const { nextAt, fault, leaseUntil, leaseHolder } = (await stored('job_1')) ?? {};
      const pause = ((nextAt?.getTime() ?? 0) - now) / 1_000;
      expect(pause).toBeGreaterThanOrEqual(seconds * 0.8);
      expect(pause).toBeLessThanOrEqual(seconds * 1.2);
      expect({ fault, leaseUntil, leaseHolder }).toEqual({ fault: 'out-of-range', leaseUntil: null, leaseHolder: null });
      now = nextAt?.getTime() ?? 0;
    }
    expect(faults).toEqual(new Array(13).fill('LINK cru_1 out-of-range'));
  });

  it('is made again when its owner’s schedule says so, and given up after the last', async () => {
    await write('job_1', 'cru_1');
    const schedule = [5_000, 300_000, 36_000_000];
    const givenUp: number[] = [];
    const box = outbox(async () => ({ fault: 'busy' }), {
      handler: {
        mostTries: schedule.length + 1,
        pauseAfter: (attempts) => schedule[attempts - 1] as number,
        giveUp: async ({ attempts }) => givenUp.push(attempts) > 0,
      },
    });
    for (const pause of schedule) {
      await box.drain();
      expect((await stored('job_1'))?.nextAt).toEqual(new Date(now + pause));
      expect(await box.counts()).toEqual([{ kind: 'LINK', state: 'PENDING', fault: 'busy', count: 1 }]);
      now += pause;
    }
    await box.drain();
    expect([givenUp, await states()]).toEqual([[3], { job_1: 'DEAD' }]);
    expect(await box.counts()).toEqual([{ kind: 'LINK', state: 'DEAD', fault: 'busy', count: 1 }]);
    now += 10 * 36_000_000;
    await box.drain();
    expect(givenUp).toEqual([3]);
  });

  it('goes on where it can’t be given up', async () => {
    await write('job_1', 'cru_1');
    let tries = 0;
    const box = outbox(async () => ({ fault: `try-${++tries}` }), { handler: { mostTries: 1, giveUp: async () => false } });
    await box.drain();
    now += 3_600_000;
    await box.drain();
    expect(await stored('job_1')).toMatchObject({ state: 'PENDING', attempts: 2, fault: 'try-2' });
  });

  it('has a fault that says nothing of what went wrong where nobody expected it', async () => {
    await write('job_1', 'cru_1');
    const faults: string[] = [];
    const box = outbox(
      async () => {
        throw new Error('4242 4242 4242 4242');
      },
      { faults },
    );
    await box.drain();
    expect([faults, (await stored('job_1'))?.fault]).toEqual([['LINK cru_1 internal'], 'internal']);
  });
});

describe('a lease', () => {
  it('gives each job to one of several processes', async () => {
    for (let n = 10; n < 40; n += 1) await write(`job_${n}`, `cru_${n}`);
    const done: string[] = [];
    const process = (of: Database) =>
      outbox(
        async (each) => {
          done.push(each.id);
          await changeOf(of, each);
          return 'done';
        },
        { of },
      );
    await Promise.all([database, others, database, others].map((of) => process(of).drain()));
    expect(done).toHaveLength(30);
    expect(new Set(done).size).toBe(30);
    expect([await changes(), new Set(Object.values(await states()))]).toEqual([30, new Set(['DONE'])]);
  });

  it('that ran out lets another process have the job, and the first one then writes nothing and gives nothing back', async () => {
    await write('job_1', 'cru_1');
    const isTaken = gate();
    const mayGoOn = gate();
    const faults: string[] = [];
    const first = outbox(
      async (each) => {
        isTaken.open();
        await mayGoOn.opened;
        await changeOf(database, each);
        return 'done';
      },
      { faults },
    );
    const slow = first.drain();
    await isTaken.opened;
    const isTakenAgain = gate();
    const mayEnd = gate();
    const second = outbox(
      async (each) => {
        await changeOf(others, each);
        isTakenAgain.open();
        await mayEnd.opened;
        return 'done';
      },
      { of: others },
    );
    now += lease - 1;
    await second.drain();
    now += 1;
    const other = second.drain();
    await isTakenAgain.opened;
    const holder = (await stored('job_1'))?.leaseHolder;
    mayGoOn.open();
    await slow;
    expect({ faults, changes: await changes() }).toEqual({ faults: ['LINK cru_1 lease-lost'], changes: 1 });
    expect(await stored('job_1')).toMatchObject({ state: 'PENDING', attempts: 0, leaseHolder: holder, fault: null });
    mayEnd.open();
    await other;
    expect(await stored('job_1')).toMatchObject({ state: 'DONE', leaseHolder: null });
  });

  it('is prolonged by each change of the job', async () => {
    await write('job_1', 'cru_1');
    const isChanged = gate();
    const mayEnd = gate();
    const slow = outbox(async (each) => {
      now += lease - 1;
      await changeOf(database, each);
      isChanged.open();
      await mayEnd.opened;
      return 'done';
    }).drain();
    await isChanged.opened;
    now += lease - 1;
    const taken: string[] = [];
    const second = outbox(
      async ({ id }) => {
        taken.push(id);
        return 'done';
      },
      { of: others },
    );
    await second.drain();
    expect(taken).toEqual([]);
    mayEnd.open();
    await slow;
  });

  it('that is lost can’t be had again', async () => {
    await write('job_1', 'cru_1');
    let kept: Job | undefined;
    const box = outbox(async (each) => {
      kept = each;
      return 'done';
    });
    await box.drain();
    await expect(changeOf(database, kept as Job)).rejects.toThrow(LeaseLost);
  });
});

describe('a subject’s jobs in order', () => {
  const inTurn = async () => {
    for (const [n, kind] of jobKinds.entries()) {
      await write(`job_a${n}`, 'cru_a', kind);
      await write(`job_b${n}`, 'cru_b', kind);
    }
  };

  it('are done one after the other, of several processes and subjects', async () => {
    await inTurn();
    const done: string[] = [];
    const running = new Set<string>();
    const process = (of: Database) =>
      outbox(
        async (each) => {
          expect(running.has(each.updateId)).toBe(false);
          running.add(each.updateId);
          await changeOf(of, each);
          done.push(each.id);
          running.delete(each.updateId);
          return 'done';
        },
        { of, isInOrder: true },
      );
    const boxes = [database, others, database, others].map(process);
    // Whoever finds nothing to do just then is through, though there is more.
    for (let n = 0; n < jobKinds.length; n += 1) await Promise.all(boxes.map((box) => box.drain()));
    for (const letter of ['a', 'b'])
      expect(done.filter((id) => id.startsWith(`job_${letter}`))).toEqual(jobKinds.map((_, n) => `job_${letter}${n}`));
    expect(done).toHaveLength(2 * jobKinds.length);
  });

  it('wait for one that got nowhere, which holds up no other subject’s', async () => {
    await inTurn();
    const done: string[] = [];
    let isBusy = true;
    const box = outbox(
      async ({ id }) => {
        if (id === 'job_a1' && isBusy) return { fault: 'busy' };
        done.push(id);
        return 'done';
      },
      { isInOrder: true, handler: { pauseAfter: () => 5_000, mostTries: 10 } },
    );
    await box.drain();
    expect(done.filter((id) => id.startsWith('job_a'))).toEqual(['job_a0']);
    expect(done.filter((id) => id.startsWith('job_b'))).toHaveLength(jobKinds.length);
    isBusy = false;
    now += 5_000;
    await box.drain();
    expect(done.filter((id) => id.startsWith('job_a'))).toEqual(['job_a0', 'job_a1', 'job_a2', 'job_a3', 'job_a4']);
  });

  it('follow one that ends while the next is looked for', async () => {
    await inTurn();
    const mayEnd = gate();
    const done: string[] = [];
    const box = outbox(
      async ({ id }) => {
        if (id === 'job_b0') await mayEnd.opened;
        done.push(id);
        return 'done';
      },
      { isInOrder: true },
    );
    const read = database.read.bind(database);
    // Subject a is through: what this look answers is what was so before b's first job ended.
    const spy = jest.spyOn(database, 'read').mockImplementation(async (...of) => {
      const found = await read(...of);
      if (found.length > 0 || done.length < jobKinds.length) return found;
      mayEnd.open();
      for (let n = 0; n < 1_000 && (await stateOf('job_b0')) !== 'DONE'; n += 1) await new Promise(setImmediate);
      await new Promise(setImmediate);
      return found;
    });
    const stateOf = async (id: string) => (await read(rows, sql`WHERE ${job.id} = ${id}`))[0]?.state;
    await box.drain();
    spy.mockRestore();
    expect(new Set(Object.values(await states()))).toEqual(new Set(['DONE']));
    expect(done).toHaveLength(2 * jobKinds.length);
  });

  it('are all done when what was due is, however looks and ends fall', async () => {
    for (let round = 0; round < 12; round += 1) {
      for (const subject of ['a', 'b', 'c'])
        for (const [n, kind] of jobKinds.entries()) await write(`job_${round}${subject}${n}`, `cru_${round}${subject}`, kind);
      const box = outbox(
        async () => {
          for (let turns = Math.floor(Math.random() * 12); turns > 0; turns -= 1) await new Promise(setImmediate);
          return 'done';
        },
        { isInOrder: true, width: 1 + (round % 4) },
      );
      // A change wakes the loop while somebody drains.
      if (round % 2 === 1) box.start();
      await Promise.all([box.drain(), box.drain()]);
      const left = await database.read(rows, sql`WHERE ${job.state} <> 'DONE'`);
      await box.stop();
      expect(left.map(({ id }) => id)).toEqual([]);
    }
  });

  it('are looked for again at once where another process was faster', async () => {
    for (let n = 10; n < 20; n += 1) await write(`job_${n}`, `cru_${n}`);
    const done: string[] = [];
    const box = outbox(
      async ({ id }) => {
        done.push(id);
        return 'done';
      },
      { width: 2 },
    );
    const bookkeeping = database.bookkeeping.bind(database);
    // All that it wanted has gone by then.
    const spy = jest.spyOn(database, 'bookkeeping').mockImplementationOnce(async (of, work) => {
      const taken = { leaseUntil: new Date(now + lease), leaseHolder: 'another' };
      await bookkeeping(job, (books) => books.update(taken, sql`${job.id} < 'job_18'`));
      return bookkeeping(of, work);
    });
    await box.drain();
    spy.mockRestore();
    expect(done.sort()).toEqual(['job_18', 'job_19']);
  });

  it('go on behind one that was given up', async () => {
    await inTurn();
    const done: string[] = [];
    const box = outbox(
      async ({ id }) => {
        if (id === 'job_a1') return { fault: 'gone' };
        done.push(id);
        return 'done';
      },
      { isInOrder: true, handler: { mostTries: 1 } },
    );
    await box.drain();
    expect(done.filter((id) => id.startsWith('job_a'))).toEqual(['job_a0', 'job_a2', 'job_a3', 'job_a4']);
    expect((await states()).job_a1).toBe('DEAD');
  });

  it('don’t overtake one that is due again, though they were first when they were looked for', async () => {
    await inTurn();
    const claim = outbox(async ({ id }) => (id < 'job_a2' ? 'done' : { again: 1_000 }), { isInOrder: true });
    await claim.drain();
    expect(await states()).toMatchObject({ job_a0: 'DONE', job_a1: 'DONE', job_a2: 'PENDING' });
    now += 1_000;
    // Between the look and the claim somebody has the first one done again.
    const bookkeeping = database.bookkeeping.bind(database);
    const done: string[] = [];
    const box = outbox(
      async ({ id, updateId }) => {
        if (updateId === 'cru_a') done.push(id);
        return 'done';
      },
      { isInOrder: true },
    );
    const spy = jest.spyOn(database, 'bookkeeping').mockImplementationOnce(async (of, work) => {
      await bookkeeping(job, (books) => books.update(dueFrom(clock()), sql`${job.id} = 'job_a0'`));
      return bookkeeping(of, work);
    });
    await box.drain();
    spy.mockRestore();
    expect(done).toEqual(['job_a0', 'job_a2', 'job_a3', 'job_a4']);
  });
});
