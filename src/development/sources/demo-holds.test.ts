import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { HoldStep } from '../../upstream/payments/payments.port';
import { SourceUnavailable } from '../../upstream/source-unavailable';
import { DemoPayments } from './demo-payments';

const customer = 'cus_demo_000001';
const subscription = 'sub_demo_000001';

let time = 0;
const clock = { now: () => new Date(time) };
beforeEach(() => {
  time = new Date('2026-08-01T09:00:00Z').getTime();
});

const provider = (stateFile?: string) =>
  new DemoPayments({
    seed: 7,
    size: 0.04,
    anchor: new Date('2026-08-01T00:00:00Z'),
    source: 'pay',
    helpdeskSource: 'desk',
    clock,
    ...(stateFile === undefined ? {} : { stateFile }),
  });

const until = new Date('2026-08-01T21:00:00Z');
const pause: HoldStep = { action: 'PAUSE_RENEWAL', customer, subscription, until };
const resume: HoldStep = { ...pause, action: 'RESUME_RENEWAL' };
const list: HoldStep = { action: 'LIST', list: 'BLOCK', of: 'EMAIL', value: 'ana@example.com' };
const unlist: HoldStep = { ...list, action: 'UNLIST' };
const done = { outcome: 'done' };

test('an authorized payment waits for seven days, a captured one doesn’t', async () => {
  const payments = provider();
  const { reference } = payments.addTransaction(customer, { amount: 900, status: 'AUTHORIZED' });
  expect(await payments.holds.readPayment(customer, reference)).toEqual({
    status: 'AUTHORIZED',
    isManualCapture: true,
    captureBefore: new Date(time + 7 * 86_400_000),
  });
  expect(await payments.holds.readPayment('cus_demo_000002', reference)).toBeNull();
  payments.changeTransaction(customer, reference, { status: 'CAPTURED' });
  expect(await payments.holds.readPayment(customer, reference)).toMatchObject({ status: 'CAPTURED', isManualCapture: false });
});

test('a renewal is paused until its end, and goes on by itself', async () => {
  const { holds } = provider();
  expect(await holds.perform(pause, 'k')).toEqual(done);
  expect(await holds.readRenewals(customer)).toEqual([
    { subscription, isPaused: true, renewsAt: new Date('2026-09-01T00:00:00Z') },
  ]);
  expect([await holds.holds(pause), await holds.holds(resume)]).toEqual([true, false]);
  expect(await holds.perform({ ...resume, until: new Date(time) }, 'k2')).toEqual(done);
  expect(await holds.holds(pause)).toBe(true);
  time = until.getTime();
  expect([await holds.holds(pause), await holds.holds(resume)]).toEqual([false, true]);
  expect(await holds.perform({ ...pause, subscription: 'sub_demo_000002' }, 'k3')).toEqual({
    outcome: 'refused',
    why: 'REFUSED',
  });
});

test('a list keeps what the merchant put there', async () => {
  const { holds } = provider();
  holds.listByMerchant({ list: 'BLOCK', of: 'EMAIL', value: 'ana@example.com' });
  for (const step of [list, unlist]) expect(await holds.perform(step, step.action)).toEqual(done);
  expect(await holds.holds(list)).toBe(true);
  expect(await holds.holds(unlist)).toBe(true);
});

test('what holds outlives a restart, and no address is shown among what was executed', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'demo-holds-'));
  try {
    const file = join(folder, 'state.json');
    const before = provider(file).holds;
    for (const step of [pause, list]) await before.perform(step, step.action);
    const { holds } = provider(file);
    expect([await holds.holds(pause), await holds.holds(list)]).toEqual([true, true]);
    expect(holds.executions.map(({ action, key }) => [action, key])).toEqual([
      ['PAUSE_RENEWAL', 'PAUSE_RENEWAL'],
      ['LIST', 'LIST'],
    ]);
    expect(JSON.stringify(holds.executions)).not.toContain('ana@');
    expect(await holds.perform(unlist, 'UNLIST')).toEqual(done);
    expect(await holds.holds(list)).toBe(false);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

test('answers are lost, refused and spoiled as those of credentials, apart from them', async () => {
  const { holds, credentials } = provider();
  holds.loseAnswers(1, { executed: true });
  expect(await holds.perform(pause, 'a')).toEqual({ outcome: 'lost', keySpent: false });
  expect(await holds.perform(pause, 'a')).toEqual(done);
  holds.spoilKeys(1);
  expect(await holds.perform(list, 'b')).toEqual({ outcome: 'lost', keySpent: true });
  expect(await holds.perform(list, 'b')).toEqual({ outcome: 'lost', keySpent: true });
  expect(await holds.holds(list)).toBe(false);
  holds.refuse('NOT_PERMITTED');
  expect(await credentials.perform({ action: 'SET_DEFAULT', customer, method: null }, 'c')).toEqual(done);
  expect(await holds.perform(list, 'd')).toEqual({ outcome: 'refused', why: 'NOT_PERMITTED' });
});

test('nothing is told while the provider can’t be reached', async () => {
  const payments = provider();
  payments.goDown();
  for (const work of [payments.holds.holds(pause), payments.holds.perform(pause, 'k'), payments.readAuthentication('x')])
    await expect(work).rejects.toBeInstanceOf(SourceUnavailable);
});

test('a payment has no authentication unless there was one', async () => {
  const payments = provider();
  const { reference } = payments.addTransaction(customer, { amount: 900, status: 'AUTHORIZED' });
  expect(await payments.readAuthentication(reference)).toMatchObject({ customer, flow: null, result: 'NONE' });
  payments.addAuthentication(reference, { customer });
  expect(await payments.readAuthentication(reference)).toMatchObject({ customer, flow: 'CHALLENGE', result: 'AUTHENTICATED' });
  expect(await payments.readAuthentication('ch_demo_000001_999999')).toBeNull();
});
