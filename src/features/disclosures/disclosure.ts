import type { StatedPlan } from '../../audit/access-plan';
import type { SignedInActor } from '../../authz/actor';
import type { RequestAccess } from '../../graphql/request-access';
import type { ShownObject } from '../../graphql/shown';
import type { Disclosure } from './disclosures.service';

/**
 * The links under which what is about a customer was shown. What doesn't depend on a link, as what a ticket says, is shown as without one, which
 * tells nothing of theirs.
 */
const linksOf = (links: ReadonlySet<string> = new Set()): readonly string[] =>
  [...links].filter((link) => link !== 'NONE' || links.size === 1);

/** The record of what a request showed; null when it showed no policed field. */
export const disclosureOf = (
  actor: SignedInActor,
  access: RequestAccess,
  plan: () => StatedPlan,
  operation: string | null,
): Disclosure | null => {
  const { fields, parents } = access.showing;
  const shownFields = fields.filter(({ verdict }) => verdict === 'reveal' || verdict.startsWith('mask:'));
  if (shownFields.length === 0) return null;
  const tickets = new Set<string>();
  const assistances = new Map<string, string | null>();
  const ends: number[] = [];
  const customers = new Map<string, NonNullable<ShownObject['customer']>>();
  const links = new Map<string, Set<string>>();
  const objects = new Map<string, Set<string>>();
  for (const { shown, linkAssurance } of parents) {
    if (shown.ticketId !== null) tickets.add(shown.ticketId);
    if (shown.customer) {
      const under = links.get(shown.customer.id);
      customers.set(shown.customer.id, shown.customer);
      if (under) under.add(linkAssurance);
      else links.set(shown.customer.id, new Set([linkAssurance]));
    }
    if (shown.underAssistance) {
      // What is said in a ticket is shown under the assistance on that ticket, even where another one covers the same customer.
      const customerId = shown.customer?.id ?? null;
      const live = shown.ticketId === null ? access.covering(customerId) : access.onTicket(shown.ticketId, customerId);
      // What needs an assistance and has none must not leave: no row has this id, so its record is refused.
      assistances.set(live?.id ?? 'none', live?.ticketId ?? null);
      if (live) {
        tickets.add(live.ticketId);
        ends.push(live.expiresAt.getTime());
      }
    }
    if (shown.type === 'Customer') continue;
    const ids = objects.get(shown.type);
    if (ids) ids.add(shown.id);
    else objects.set(shown.type, new Set([shown.id]));
  }
  const [assistedTicketId = null, ...further] = assistances.values();
  return {
    actor,
    operation,
    plan: plan(),
    fields,
    ticketIds: [...tickets].sort(),
    customers: [...customers.values()].map(({ id, digest }) => ({ id, digest, links: linksOf(links.get(id)) })),
    objects: Object.fromEntries([...objects].map(([type, ids]) => [type, [...ids].sort()])),
    assistanceIds: [...assistances.keys()].sort(),
    assistedTicketId: further.length === 0 ? assistedTicketId : null,
    validUntil: ends.length === 0 ? null : new Date(Math.min(...ends)),
  };
};
