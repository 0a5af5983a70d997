import type { Database } from '../../../db/database';
import { sql } from '../../../db/sql';
import { CustomerSeal } from '../../keys/customer-seal';
import type { Keys } from '../../keys/keys.service';
import { CredentialUpdate } from '../credential-update.entity';
import { end } from '../credential-update.moves';
import type { CredentialUpdateState, MoveReason } from '../credential-update.states';
import { credentialUpdate, updateIds } from '../credentials.rows';
import type { CredentialJobs } from '../jobs.service';

/** Why each waiting state ends by itself. */
const expiryReasons: Readonly<Partial<Record<CredentialUpdateState, MoveReason>>> = {
  REQUESTED: 'LINK_EXPIRED',
  AWAITING_CUSTOMER: 'LINK_EXPIRED',
  AWAITING_PROVIDER: 'SETUP_EXPIRED',
  AWAITING_APPROVAL: 'APPROVAL_EXPIRED',
};

/** Updates that nobody answered in time. */
export class CredentialExpiry {
  constructor(
    private readonly database: Database,
    private readonly keys: Keys,
    private readonly jobs: CredentialJobs,
    private readonly clock: () => Date,
  ) {}

  /** Ends what nobody answered in time. Returns how many. */
  async run(): Promise<number> {
    const waiting = Object.keys(expiryReasons);
    const due = await this.database.read(
      updateIds,
      sql`WHERE ${credentialUpdate.state} IN (${waiting}) AND ${credentialUpdate.expiresAt} <= ${this.clock()} ORDER BY ${credentialUpdate.expiresAt} LIMIT 200`,
    );
    for (const { id } of due) {
      await this.database.system('expiry', 'credential.expire', async (change) => {
        const update = await change.lock(CredentialUpdate, { id });
        const reason = expiryReasons[update.state];
        if (reason === undefined || update.expiresAt > change.at) return;
        const seal = await CustomerSeal.of(change, this.keys, update.customerId);
        await end(change, seal, update, 'credential.expire', { to: 'EXPIRED', reason });
      });
    }
    if (due.length > 0) this.jobs.wake();
    return due.length;
  }
}
