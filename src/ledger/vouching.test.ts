import type { Leaf } from '../audit/leaf';
import { EventVouchers } from '../privacy/event-vouchers';
import { VouchedLeaves, vouchingBegins } from './vouching';

const vouchers = new EventVouchers(Buffer.alloc(32, 7), new Date(0));
const others = new EventVouchers(Buffer.alloc(32, 8), new Date(0));
const hash = 'ab'.repeat(32);
const hour = 3_600_000;

const leafOf = (tx: string, at: number, action: string, subject: string | null, actor = 'system:keys'): Leaf =>
  ({
    tx,
    at: new Date(at).toISOString(),
    action,
    subject: subject === null ? null : { type: 'Secret', id: subject },
    actor: { id: actor, kind: 'system', roles: [] },
  }) as unknown as Leaf;
const digests = (tx: string, at: number) => leafOf(tx, at, 'secret.create', 'digests');
const events = (tx: string, at: number) => leafOf(tx, at, 'secret.create', 'events');
const act = (at: number) => leafOf(`atx_${at}`, at, 'assistance.approve', null, 'act_1');
const time = (at: number) => leafOf(`atx_${at}`, at, 'log.time', null, 'system:sequencer');

describe('a voucher', () => {
  it('is that of one leaf under one key', () => {
    const voucher = vouchers.of(hash);
    expect(voucher).toMatch(/^[\w-]{43}$/);
    expect([
      vouchers.vouches(hash, voucher),
      vouchers.vouches('cd'.repeat(32), voucher),
      others.vouches(hash, voucher),
      vouchers.vouches(hash, null),
      vouchers.vouches(hash, ''),
      vouchers.vouches(hash, voucher.slice(0, -1)),
      vouchers.vouches(hash, 'no voucher at all'),
    ]).toEqual([true, false, false, false, false, false, false]);
  });
});

describe('leaves that ought to have a voucher', () => {
  const good = vouchers.of(hash);
  const asked = (...leaves: readonly (readonly [Leaf, string | null])[]): boolean[] => {
    const vouched = new VouchedLeaves(vouchers);
    return leaves.map(([leaf, voucher]) => vouched.next(leaf, hash, voucher));
  };

  it('are all of them where the installation began with vouchers, whatever time a forged one says', () => {
    expect(
      asked(
        [digests('atx_0', 0), good],
        [events('atx_0', 0), good],
        [act(1), good],
        [act(1), null],
        [act(-hour), null],
        [act(2), 'x'],
      ),
    ).toEqual([true, true, true, false, false, false]);
  });

  it('are those from a day after the upgrade on, by what the log says of the time', () => {
    expect(
      asked(
        [digests('atx_0', 0), null],
        [act(hour), null],
        [events('atx_1', 2 * hour), good],
        // A gateway of the version before goes on beside new ones.
        [act(3 * hour), null],
        [act(3 * hour), others.of(hash)],
        [act(20 * hour), good],
        [act(25 * hour), null],
        [time(26 * hour), null],
        [act(3 * hour), null],
        [act(27 * hour), null],
        [act(27 * hour), good],
      ),
    ).toEqual([true, true, true, true, false, true, true, true, false, false, true]);
  });

  it('stay those, though somebody has the secret made anew', () => {
    expect(
      asked([digests('atx_0', 0), good], [events('atx_0', 0), good], [events('atx_9', hour), good], [act(hour), null]),
    ).toEqual([true, true, true, false]);
  });

  it('are none of the sequencer’s and of exports from the command line, which may be processes without the key', () => {
    const exported = leafOf('atx_2', 2, 'disclosure', null, 'system:command-line');
    const other = leafOf('atx_3', 2, 'assistance.approve', null, 'system:command-line');
    expect(
      asked(
        [digests('atx_0', 0), good],
        [events('atx_0', 0), good],
        [exported, null],
        [other, null],
        [exported, others.of(hash)],
      ),
    ).toEqual([true, true, true, false, false]);
    expect(asked([digests('atx_0', 0), good], [events('atx_0', 0), good], [time(1), null], [time(2), others.of(hash)])).toEqual([
      true,
      true,
      true,
      false,
    ]);
    expect(vouchingBegins(new Date(0), true)).toEqual(new Date(0));
    expect(vouchingBegins(new Date(0), false)).toEqual(new Date(24 * hour));
  });
});
