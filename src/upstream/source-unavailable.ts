/**
 * Why a source gave no answer. `overloaded`: it answers, but more was asked of it than it takes, and no place became free in
 * time; `refused`: a connection that isn't taken; `unauthorized`: an account that isn't let in.
 */
export type UnavailableReason =
  | 'timeout'
  | 'circuit-open'
  | 'overloaded'
  | 'refused'
  | 'fault'
  | 'unauthorized'
  | 'rate-limited'
  | 'malformed';

/** A source did not answer in time, answered with a fault, or its circuit is open. Never holds what was sent or received. */
export class SourceUnavailable extends Error {
  constructor(
    readonly source: string,
    readonly why: UnavailableReason,
    readonly status?: number,
    /** Seconds after which the source wants to be asked again, where it says so. */
    readonly retryAfter?: number,
  ) {
    super(`source ${source}: ${why}${status === undefined ? '' : ` (HTTP ${status})`}`);
    this.name = 'SourceUnavailable';
  }
}
