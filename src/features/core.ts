import type { Logger } from 'pino';
import type { ExposurePolicy } from '../authz/policy/exposure';
import type { Database } from '../db/database';
import type { Cursors } from '../graphql/cursor';
import type { AnswerSteps } from '../privacy/answer-time';
import type { Redactor } from '../privacy/redaction';
import type { Keys } from './keys/keys.service';

/** What stores and reads, of which jobs by themselves are made. */
export interface Storage {
  readonly database: Database;
  readonly keys: Keys;
  readonly redactor: Redactor;
  readonly clock: () => Date;
  readonly log: Logger;
}

/** What every slice is made of. */
export interface Core extends Storage {
  readonly cursors: Cursors;
  readonly policy: ExposurePolicy;
  /** When an answer leaves that may not tell whether there is anything. */
  readonly answerSteps: AnswerSteps;
  /** Where links lead to: as configured, otherwise where the gateway listens. */
  readonly publicUrl: () => string;
}
