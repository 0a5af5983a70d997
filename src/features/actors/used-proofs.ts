import { ProofMemory } from '../../authz/identity/proof-memory';
import type { UsedProofs } from '../../authz/identity/proof-verifier';
import { Groups } from '../../background/groups';
import { sql } from '../../db/sql';
import { select } from '../../db/table';
import { Failure } from '../../failure';
import type { Core } from '../core';
import { usedProofs } from './used-proof.entity';

/** Proofs that share one commit, and how many may wait for one. */
const groupSize = 64;
const mostWaiting = 1_024;
/** Milliseconds after which one that waits isn't stored any more. */
const longestWait = 5_000;
/** Bytes for the names of proofs that this process took: of more than a thousand requests a second. */
const memory = 16 * 1024 * 1024;
/** For so many milliseconds they are kept beyond their end: another process's clock may be behind. */
const keptBeyond = 300_000;
/** Rows that are removed in one transaction, and in one turn. */
const removedAtOnce = 500;
const mostRemoved = 20_000;

const names = select(usedProofs.pick('id'), sql`FROM ${usedProofs}`);

interface Used {
  readonly id: string;
  readonly endsAt: Date;
}

/** The proofs that any process of the installation took. What this one took it knows by itself. */
export class StoredProofs implements UsedProofs {
  private readonly own = new ProofMemory(memory);
  private readonly groups = new Groups<Used, boolean>({
    size: groupSize,
    most: mostWaiting,
    patience: longestWait,
    commit: (group) => this.commit(group),
    refusal: (fault) =>
      fault ??
      new Failure('OVERLOADED', 'Too many proofs wait to be remembered.', {
        rule: 'proof.memory',
        remedy: 'Try again after retryAfter seconds, with a new proof.',
        retryAfter: 5,
      }),
  });

  constructor(private readonly parts: Pick<Core, 'database' | 'clock'>) {}

  async take(id: string, endsAt: Date): Promise<boolean> {
    // Where it has no room for one more, the stored ones still tell.
    if (this.own.take(id, endsAt, this.parts.clock()) === 'again') return false;
    return this.groups.add({ id, endsAt });
  }

  /** Removes those whose time is over. */
  async forget(): Promise<void> {
    const { database, clock } = this.parts;
    const before = clock().getTime() - keptBeyond;
    for (let all = 0; all < mostRemoved; all += removedAtOnce) {
      const old = await database.read(
        names,
        sql`WHERE ${usedProofs.endsAt} < ${before} ORDER BY ${usedProofs.endsAt} LIMIT ${removedAtOnce}`,
      );
      if (old.length === 0) return;
      const ids = old.map(({ id }) => id);
      await database.bookkeeping(usedProofs, (books) => books.remove(sql`${usedProofs.id} IN (${ids})`));
      if (old.length < removedAtOnce) return;
    }
  }

  /** One that another process takes at the same moment makes all of it run again, and is then found. */
  private async commit(group: readonly Used[]): Promise<readonly (() => boolean)[]> {
    let isAgain = false;
    const taken = await this.parts.database.bookkeeping(usedProofs, async (books) => {
      const known = isAgain ? await books.read(names, sql`WHERE ${usedProofs.id} IN (${group.map(({ id }) => id)})`) : [];
      isAgain = true;
      const found = new Set(known.map(({ id }) => id));
      const fresh = group.filter(({ id }) => !found.has(id));
      // In one order, so that no two wait for each other.
      await books.insert([...fresh].sort((a, b) => (a.id < b.id ? -1 : 1)));
      return new Set(fresh.map(({ id }) => id));
    });
    return group.map(
      ({ id }) =>
        () =>
          taken.has(id),
    );
  }
}
