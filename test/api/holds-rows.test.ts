import { rowsWithoutEvent } from '../../src/cli/rows-without-event';
import { demoTickets } from '../../src/development/merchant/cast';
import { told } from '../support/answers';
import { TestApp } from '../support/app';
import { tamper } from '../support/audit-log';
import { HeldPayments, hour, releaseMutation } from '../support/holds';

/** What whoever writes the database can do to the calls and jobs that a hold rests on. */
let test: TestApp;
let held: HeldPayments;
beforeEach(async () => {
  test = await TestApp.start();
  held = new HeldPayments(test);
});
afterEach(() => test.stop());

const look = async () => (await rowsWithoutEvent(test.app.database)).findings;
const sql = (text: string, parameters: readonly unknown[] = []) => tamper(test.app.database, text, parameters);
const blocking = async (): Promise<string> => {
  const id = await held.byRule(demoTickets.own.reference, { effects: ['BLOCK_NEW'] });
  await held.drain();
  expect([await held.stored(id), held.executed]).toEqual(['ACTIVE, BLOCK_NEW APPLIED PROVIDER', ['LIST']]);
  expect(await look()).toEqual([]);
  return id;
};
const over = async (): Promise<void> => {
  await held.wait(25 * hour);
  await held.sweep();
  await held.drain();
};

describe('the calls of a hold', () => {
  it('that are gone are told of, and nothing is said to be let go', async () => {
    const id = await blocking();
    await sql('DELETE FROM payment_hold_step WHERE hold_id = ?', [id]);
    expect(await look()).toEqual([`1 calls of holds that the log has events of are gone: ${id}`]);
    await over();
    expect([await held.stored(id), held.executed]).toEqual(['FAILED, BLOCK_NEW UNKNOWN PROVIDER', ['LIST']]);
    expect((await test.events('hold.fail')).at(-1)?.detail).toMatchObject({ to: 'FAILED', reason: 'NOT_REVERSED' });
  });

  it('that were said to be refused, or never made, are told of, and nothing is said to be let go', async () => {
    for (const write of ["state = 'REFUSED'", "state = 'PLANNED', key_used_at = NULL, key_generation = 1"]) {
      const id = await held.byRule(demoTickets.own.reference, { effects: ['BLOCK_NEW'], key: write });
      await held.drain();
      await sql(`UPDATE payment_hold_step SET ${write} WHERE hold_id = ?`, [id]);
      const [step] = await test.app.database.query<{ id: string }>('SELECT id FROM payment_hold_step WHERE hold_id = ?', [id]);
      expect(await look()).toEqual(
        expect.arrayContaining([
          expect.stringMatching(`calls of holds that their events say otherwise of: .*${step?.id} \\(state\\)`),
        ]),
      );
      if (write.includes('REFUSED')) {
        expect(told(await test.as('sam', releaseMutation, { id })).errors).toEqual([]);
        await held.drain();
        expect(await held.stored(id)).toBe('FAILED, BLOCK_NEW UNKNOWN PROVIDER');
      }
    }
  });

  it('of which one is gone leave it unknown whether all were taken back', async () => {
    const id = await held.byRule(demoTickets.own.reference, { effects: ['BLOCK_NEW', 'REVIEW'] });
    await held.drain();
    await sql('DELETE FROM payment_hold_step WHERE hold_id = ? AND ordinal = 1', [id]);
    expect(await look()).toEqual([`1 calls of holds that the log has events of are gone: ${id}`]);
    await over();
    expect(await held.stored(id)).toBe('FAILED, BLOCK_NEW UNKNOWN PROVIDER, REVIEW UNKNOWN PROVIDER');
    // What is known is taken back all the same.
    expect(held.executed).toEqual(['LIST', 'LIST', 'UNLIST']);
  });

  it.each(["kind = 'REVIEW'", "phase = 'UNDO'", "action = 'UNLIST'", "customer_id = 'cus_x'"])(
    'are held against their events: %s',
    async (write) => {
      const id = await blocking();
      await sql(`UPDATE payment_hold_step SET ${write} WHERE hold_id = ?`, [id]);
      expect(await look()).toEqual(
        expect.arrayContaining([expect.stringMatching(/^1 calls of holds that their events say otherwise of: hls_/)]),
      );
    },
  );
});

describe('that the calls of a hold are written down', () => {
  it('is found where they never were: nothing was brought about by that', async () => {
    const id = await held.byRule(demoTickets.own.reference, { effects: ['BLOCK_NEW'] });
    expect(await look()).toEqual([]);
    await sql('UPDATE payment_hold SET planned = 1 WHERE id = ?', [id]);
    expect(await look()).toEqual([`1 holds that their events say otherwise of: ${id} (planned)`]);
    await held.drain();
    expect([await held.stored(id), held.executed]).toEqual(['ACTIVE, BLOCK_NEW PENDING PIPELINE', []]);
    expect(await look()).toEqual([`1 holds that their events say otherwise of: ${id} (planned)`]);
  });
});

describe('what a hold ends as', () => {
  it('is what it was let go by', async () => {
    const id = await blocking();
    expect(told(await test.as('sam', releaseMutation, { id })).errors).toEqual([]);
    await held.drain();
    await sql("UPDATE payment_hold SET ending = 'EXPIRED' WHERE id = ?", [id]);
    expect(await look()).toEqual([`1 holds that their events say otherwise of: ${id} (ending)`]);
  });
});

describe('the job of a hold', () => {
  it.each([
    ['gone', 'DELETE FROM payment_hold_job WHERE hold_id = ?'],
    ['said to be done', "UPDATE payment_hold_job SET state = 'DONE' WHERE hold_id = ?"],
  ])('that is %s is told of and made again, and the hold is let go', async (_, write) => {
    const id = await blocking();
    await sql(write, [id]);
    expect(await look()).toEqual([`1 jobs of holds that the log has events of are gone: ${id}`]);
    await held.sweep();
    expect(await look()).toEqual([]);
    await held.sweep();
    expect(
      (await test.events('hold.effect')).filter(({ detail }) => (detail as { job?: string }).job === 'RENEWED'),
    ).toHaveLength(1);
    await over();
    expect([await held.stored(id), held.executed]).toEqual(['EXPIRED, BLOCK_NEW REVERSED PROVIDER', ['LIST', 'UNLIST']]);
    expect(await look()).toEqual([]);
  });

  it('that goes while it is let go is made again', async () => {
    const id = await blocking();
    expect(told(await test.as('sam', releaseMutation, { id })).errors).toEqual([]);
    await sql('DELETE FROM payment_hold_job WHERE hold_id = ?', [id]);
    await held.drain();
    await held.sweep();
    await held.drain();
    expect([await held.stored(id), held.executed]).toEqual(['RELEASED, BLOCK_NEW REVERSED PROVIDER', ['LIST', 'UNLIST']]);
  });
});
