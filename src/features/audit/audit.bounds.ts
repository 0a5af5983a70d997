import { namedPerEvent } from '../../audit/event';

/** Anchors that a checkpoint is shown with: those configured, and those that were. */
export const mostAnchors = 100;
/** Counts that one counting tells. */
export const mostCounts = 1_000;
/** Hashes of a proof: a tree of 2^53 leaves has paths of 53, and a consistency proof has one more. */
export const longestProof = 64;
/** The ticket that an event is about, and those that it names. */
export const mostTickets = namedPerEvent + 1;
/** Lines of one report. */
export const mostReportLines = 1_000;
/** Steps of one trail, the newest; and what each of them names. */
export const mostTrailSteps = 500;
export const mostTrailLinks = 100;
/** Each policed field under each verdict that it may have. */
export const mostDisclosedFields = 200;
