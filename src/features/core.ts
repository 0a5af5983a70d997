import type { Logger } from 'pino';
import type { ExposurePolicy } from '../authz/exposure';
import type { Database } from '../db/database';
import type { Cursors } from '../graphql/cursor';
import type { Redactor } from '../privacy/redaction';
import type { Keys } from './keys/keys.service';

/** What every slice is made of. */
export interface Core {
  readonly database: Database;
  readonly keys: Keys;
  readonly cursors: Cursors;
  readonly policy: ExposurePolicy;
  readonly redactor: Redactor;
  readonly clock: () => Date;
  readonly log: Logger;
  /** Where links lead to: as configured, otherwise where the gateway listens. */
  readonly publicUrl: () => string;
}
