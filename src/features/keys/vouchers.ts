import type { Reads } from '../../db/reads';
import { sql } from '../../db/sql';
import { select } from '../../db/table';
import { vouchingBegins } from '../../ledger/vouching';
import { KeyedDigests } from '../../privacy/digests';
import { EventVouchers } from '../../privacy/event-vouchers';
import type { KeyEncryption } from '../../privacy/key-encryption';
import { type Secret, secrets } from './key.entity';

/** The installation's secrets: of search digests and the like, and of what vouches for events. */
export const secretNames = ['digests', 'events'] as const;

const rows = select(secrets.pick('name', 'wrapped', 'createdAt'), sql`FROM ${secrets}`);

/** What vouches for events, from the stored secrets; null where there is none yet. Throws `WrappedKeyBroken`. */
export const vouchersOf = (
  stored: readonly Pick<Secret, 'name' | 'wrapped' | 'createdAt'>[],
  encryption: KeyEncryption,
): EventVouchers | null => {
  const of = (name: (typeof secretNames)[number]) => stored.find((each) => each.name === name);
  const [digests, events] = [of('digests'), of('events')];
  if (!events) return null;
  const isOfTheBeginning = digests?.createdAt.getTime() === events.createdAt.getTime();
  return new EventVouchers(
    encryption.unwrap(events.wrapped, 'secret|events'),
    vouchingBegins(events.createdAt, isOfTheBeginning),
  );
};

/** The same for whoever only reads. */
export const storedVouchers = async (reads: Reads, encryption: KeyEncryption): Promise<EventVouchers | null> =>
  vouchersOf(await reads.read(rows, sql``), encryption);

/** The installation's digests for whoever only reads; null where it has none yet. Throws `WrappedKeyBroken`. */
export const storedDigests = async (reads: Reads, encryption: KeyEncryption): Promise<KeyedDigests | null> => {
  const wrapped = (await reads.read(rows, sql``)).find(({ name }) => name === 'digests')?.wrapped;
  if (!wrapped) return null;
  const secret = encryption.unwrap(wrapped, 'secret|digests');
  const digests = new KeyedDigests(secret);
  secret.fill(0);
  return digests;
};
