/** What a caller may be told. Everything else is logged with the request id and leaves as `INTERNAL`. */
export const failureCodes = [
  'UNAUTHENTICATED',
  'NOT_FOUND',
  'DENIED',
  'INVALID',
  'CONFLICT',
  'UPSTREAM_UNAVAILABLE',
  'RATE_LIMITED',
  'OVERLOADED',
  'RECORD_UNAVAILABLE',
] as const;
export type FailureCode = (typeof failureCodes)[number];

/** Why something was denied, and, by `denialRemedies`, what would lift it. */
export type DenialReason =
  | 'ROLE'
  | 'MFA_REQUIRED'
  | 'NO_ASSISTANCE'
  | 'ASSISTANCE_ENDED'
  | 'APPROVAL_REQUIRED'
  | 'OWN_REQUEST'
  | 'OWN_CONTACT'
  | 'CONTACT'
  | 'RECENT_LOGIN_REQUIRED'
  | 'SELF_MADE'
  | 'TICKET_CLOSED'
  | 'QUOTA'
  | 'STALE'
  | 'LINK'
  | 'NOT_FILTERABLE'
  | 'NOT_SORTABLE'
  | 'SCOPE'
  | 'BRAKE'
  | 'UNREGISTERED'
  | 'FRAME'
  | 'ACTOR_MISMATCH'
  | 'UNSIGNED';

/** One sentence a reason, addressed to the person who was denied: what to do next. */
export const denialRemedies: Readonly<Record<DenialReason, string>> = {
  ROLE: 'Your role may not read this; the payments team decides that in schema/exposure.yaml.',
  MFA_REQUIRED: 'Sign in again with a second factor.',
  NO_ASSISTANCE: 'Open the ticket that needs this (ticket or ticketByReference), or ask with beginAssistance and a reason.',
  ASSISTANCE_ENDED:
    'The assistance ended with its ticket, a reassignment, its expiry or by hand; open the ticket again if it is still yours.',
  APPROVAL_REQUIRED:
    'A supervisor ended your assistance on this ticket: ask with beginAssistance and a reason; a supervisor has to approve it (approveAssistance).',
  OWN_REQUEST: 'Somebody other than the requester has to do this, and the ticket’s helpdesk has to know both among its staff.',
  OWN_CONTACT: 'What the customer is sent reaches a mailbox of your own; somebody else has to do this.',
  CONTACT:
    'The payment side’s address of this customer is a member of staff’s, changed lately or isn’t known for long: an answer from there shows nothing. Ask in another way.',
  RECENT_LOGIN_REQUIRED: 'Sign in again and repeat this within a few minutes.',
  SELF_MADE: 'You created this ticket or set its customer yourself; ask with beginAssistance and a reason.',
  TICKET_CLOSED: 'The ticket is closed; reopen it in the helpdesk if work goes on.',
  QUOTA:
    'You reached the number of different customers an hour, of updates or questions for one customer a day, or of decisions about payments; wait, or ask a supervisor.',
  STALE: 'The helpdesk could not confirm the assignment just now; try again when it answers.',
  LINK: 'Nobody on the payment side is known to be this customer; have them linked there.',
  NOT_FILTERABLE: 'Your role may not filter by this field; leave the filter out.',
  NOT_SORTABLE: 'Your role may not sort by this field; choose another order.',
  SCOPE: 'This is outside what your role works with.',
  BRAKE: 'A rule stopped this for you until two others have released the brake; ask a supervisor of another team, or an auditor.',
  UNREGISTERED:
    'This client is answered registered operations only: ask by hash for one that is, or have an operator register this one (counterfoil operations register).',
  FRAME: 'A frame in a helpdesk’s page doesn’t do this; open the ticket in the console.',
  ACTOR_MISMATCH: 'The helpdesk has somebody else signed in than this gateway: sign in to both as the same person.',
  UNSIGNED: 'This helpdesk signs what its pages say, and for this ticket it signed nothing: load its page again.',
};

export interface FailureDetails {
  /** For `DENIED`. */
  readonly reason?: DenialReason;
  /** The rule, field coordinate or action that said no. */
  readonly rule?: string;
  /** For `INVALID`: which argument or path, never its value. */
  readonly argument?: string;
  /** What to do next; for `DENIED` it follows from the reason. */
  readonly remedy?: string;
  /** For `RATE_LIMITED`, `OVERLOADED`, `UPSTREAM_UNAVAILABLE` and `RECORD_UNAVAILABLE`: seconds after which a retry may succeed. */
  readonly retryAfter?: number;
  /** For `DENIED`, for the log alone and never told to the caller: the ticket that it is about, where that is known. */
  readonly ticketId?: string;
  /** For `DENIED`: what it tells is on record as shown. Nobody was kept from anything of somebody's, so the log has no denial of it. */
  readonly isOnRecord?: true;
}

/** A failure the caller may see. `message` must hold nothing that the caller sent and no value of a record. */
export class Failure extends Error {
  constructor(
    readonly code: FailureCode,
    message: string,
    readonly details: FailureDetails = {},
  ) {
    super(message);
    this.name = 'Failure';
  }

  /** `ticketId`: the ticket that was denied, for the log; none where the denial isn't about one, or nobody knows about which. */
  static denied(
    reason: DenialReason,
    rule: string,
    ticketId: string | null = null,
    further: Pick<FailureDetails, 'isOnRecord'> = {},
  ): Failure {
    // One for each denied field of each row: finding out where in the code that was takes longer than the refusal, and nobody asks.
    const { stackTraceLimit } = Error;
    Error.stackTraceLimit = 0;
    const failure = new Failure('DENIED', `Denied (${reason}).`, {
      reason,
      rule,
      remedy: denialRemedies[reason],
      ...(ticketId === null ? {} : { ticketId }),
      ...further,
    });
    Error.stackTraceLimit = stackTraceLimit;
    return failure;
  }

  /** The one answer for "does not exist" and "not yours to see". */
  static notFound(noun: string): Failure {
    return new Failure('NOT_FOUND', `No such ${noun}.`, {
      remedy: `Check the id; a ${noun} outside your scope is answered the same way.`,
    });
  }

  static invalid(argument: string, accepted: string): Failure {
    return new Failure('INVALID', `${argument}: ${accepted}`, { argument });
  }
}

/** A mistake of the program, not of the caller: logged, answered `INTERNAL`, and whatever was under way is rolled back. */
export class ProgrammingError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'ProgrammingError';
  }
}
