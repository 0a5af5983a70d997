import { Failure } from '../failure';

/**
 * The database can't be used just now: nothing is known to be wrong with what was asked, and it may be asked again. Of a
 * change nobody may know whether it was committed. Thrown by `Database` alone.
 */
export class DatabaseUnavailable extends Failure {
  constructor(
    /** The driver's code for what happened, or ours: `NO_ANSWER`, `CONNECTION_LOST`. For the log; callers are told the one code. */
    readonly fault: string,
    override readonly cause?: unknown,
  ) {
    super('RECORD_UNAVAILABLE', 'The database can’t be used just now.', { remedy: 'Try again shortly.', retryAfter: 5 });
    this.name = 'DatabaseUnavailable';
  }
}
