import type { Timer } from '../../src/background/loop';
import type { Reads } from '../../src/db/reads';
import { subjects } from '../../src/features/subjects';
import { configuredKeys } from '../../src/ledger/outside-keys';
import type { ScrubFinding } from '../../src/ledger/scrub';
import { ScrubRounds } from '../../src/ledger/scrub-rounds';
import { SideRows } from '../../src/ledger/side-rows';
import type { TestApp } from './app';

interface Rounds {
  readonly database: Reads;
  readonly timer: Timer;
  readonly onFinding: (finding: ScrubFinding) => void;
}

/** Rounds through an app's log as its gateway makes them; a fault is thrown. */
export const roundsThrough = (test: TestApp, { database, timer, onFinding }: Rounds): ScrubRounds =>
  new ScrubRounds(database, {
    outside: (origin) => configuredKeys(test.app.config.audit).outside(origin),
    rows: new SideRows(database, test.keys.stored(database)),
    subjects,
    vouchers: test.app.database.vouchers,
    clock: test.clock.now,
    onFinding,
    onFault: (error) => {
      throw error;
    },
    timer,
  });
