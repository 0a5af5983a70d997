/** What a root field of the graph is about, by its arguments, as far as a frame may have it. */
export interface FrameAsks {
  readonly ticketId?: unknown;
  /** Under a live assistance, as everywhere; and of the ticket that was signed for, where one was. */
  readonly customerId?: unknown;
  readonly reference?: { readonly source: unknown; readonly reference: unknown };
  /** Of one's own alone: what is decided about others' belongs to the console. */
  readonly ownAssistanceId?: unknown;
  readonly ownUpdateId?: unknown;
  readonly updateId?: unknown;
}

type Arguments = Readonly<Record<string, unknown>>;
type Asks = (given: Arguments) => FrameAsks;

const memberOf = (of: string, name: string): Asks => {
  return (given) => ({ ticketId: (given[of] as Arguments | null | undefined)?.[name] });
};
const ofTicket = memberOf('input', 'ticketId');
const ofFilter = memberOf('filter', 'ticketId');
const nothing: Asks = () => ({});
/** Customers who are named beside the ticket are those of others. */
const holdOf: Asks = (given) => ((given.input as Arguments | null | undefined)?.customerIds == null ? ofTicket(given) : {});

/**
 * The root fields of the graph that a frame in a helpdesk's page may ask for, each with what says of which ticket it is: what is read on one
 * ticket, and what is asked for on it. What isn't here is done in the console: approvals, rejections, releases, lists beyond a ticket, the log, the
 * policy, exports, and all that needs a recent sign-in.
 */
export const frameFields: ReadonlyMap<string, Asks> = new Map<string, Asks>([
  ['Query.viewer', nothing],
  ['Query.exposure', nothing],
  ['Query.ticket', ({ id }) => ({ ticketId: id })],
  ['Query.ticketByReference', ({ source, reference }) => ({ reference: { source, reference } })],
  ['Query.customer', ({ id }) => ({ customerId: id })],
  ['Query.alerts', ofFilter],
  ['Query.holds', ofFilter],
  ['Query.credentialUpdates', ofFilter],
  ['Query.credentialUpdate', ({ id }) => ({ updateId: id })],
  ['Mutation.beginAssistance', ofTicket],
  ['Mutation.endAssistance', ({ id }) => ({ ownAssistanceId: id })],
  ['Mutation.requestCredentialUpdate', ofTicket],
  ['Mutation.cancelCredentialUpdate', ({ id }) => ({ ownUpdateId: id })],
  ['Mutation.askCustomer', ({ ticketId }) => ({ ticketId })],
  ['Mutation.reportConcern', ofTicket],
  ['Mutation.recordClaim', ofTicket],
  ['Mutation.placeHold', holdOf],
  ['Subscription.alerts', ({ ticketId }) => ({ ticketId })],
]);

/** Those that are about nothing of a ticket's. */
export const aboutNoTicket: ReadonlySet<string> = new Set(['Query.viewer', 'Query.exposure']);
