import type { ActionName } from '../../audit/events';
import type { Change } from '../../db/change';
import type { Database } from '../../db/database';
import type { Job } from '../../db/jobs';
import { CustomerSeal } from './customer-seal';
import type { Keys } from './keys.service';

/** What is kept of one customer, sealed under their key. */
export interface OfCustomer {
  readonly id: string;
  readonly customerId: string;
}

export type SealedWork<Row, T> = (change: Change, row: Row, seal: CustomerSeal) => Promise<T>;

/** The changes that one of the gateway's jobs makes to such rows. */
export class SealedChanges<Row extends OfCustomer> {
  constructor(
    private readonly database: Database,
    private readonly keys: Keys,
    private readonly job: Job,
    private readonly entity: new () => Row,
  ) {}

  /** One change to a row, which it has locked, with the key of its customer. Throws `NOT_FOUND`. */
  make<T>(action: ActionName, id: string, work: SealedWork<Row, T>): Promise<T> {
    return this.database.system(this.job, action, async (change) => {
      const row = await change.lock<Row>(this.entity, { id } as Parameters<typeof change.lock<Row>>[1]);
      return work(change, row, await CustomerSeal.of(change, this.keys, row.customerId));
    });
  }
}
