import type { ActionName } from '../../audit/events';
import type { Change } from '../../db/change';
import type { Database } from '../../db/database';
import type { Job } from '../../db/jobs';
import { CustomerSeal } from '../keys/customer-seal';
import type { Keys } from '../keys/keys.service';
import { CredentialUpdate } from './credential-update.entity';

export type UpdateWork<T> = (change: Change, update: CredentialUpdate, seal: CustomerSeal) => Promise<T>;

/** The changes that one of the gateway's jobs makes to updates. */
export class JobChanges {
  constructor(
    private readonly database: Database,
    private readonly keys: Keys,
    private readonly job: Job,
  ) {}

  /** One change to an update, which it has locked, with the key of its customer. Throws `NOT_FOUND`. */
  make<T>(action: ActionName, updateId: string, work: UpdateWork<T>): Promise<T> {
    return this.database.system(this.job, action, async (change) => {
      const update = await change.lock(CredentialUpdate, { id: updateId });
      return work(change, update, await CustomerSeal.of(change, this.keys, update.customerId));
    });
  }
}
