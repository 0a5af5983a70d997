/** A source did not answer in time, answered with a fault, or its circuit is open. Never holds what was sent or received. */
export class SourceUnavailable extends Error {
  constructor(
    readonly source: string,
    readonly why: 'timeout' | 'circuit-open' | 'refused' | 'fault' | 'unauthorized' | 'rate-limited' | 'malformed',
    readonly status?: number,
    /** Seconds after which the source wants to be asked again, where it says so. */
    readonly retryAfter?: number,
  ) {
    super(`source ${source}: ${why}${status === undefined ? '' : ` (HTTP ${status})`}`);
    this.name = 'SourceUnavailable';
  }
}
