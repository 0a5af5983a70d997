import { readFileSync } from 'node:fs';
import { parse } from 'yaml';
import { z } from 'zod';
import type { LinkAssurance } from '../../src/authz/actor';
import { developmentPeople } from '../../src/development/issuer/development-people';
import type { Canary, CanaryCustomer, CanaryTicket } from './canaries';

const byAssurance = z.union([z.string(), z.record(z.string(), z.string())]);
const policyFile = z.object({
  scope: z.record(z.string(), z.array(z.string())),
  fields: z.record(z.string(), z.record(z.string(), z.union([z.string(), z.record(z.string(), byAssurance)]))),
});

/** One live row of `assistance`, as the tests read it. */
export interface LiveRow {
  readonly ticket: CanaryTicket;
  readonly customer: CanaryCustomer;
  readonly automatic: boolean;
  /** Who approved it. */
  readonly approver: string | null;
}

/** Somebody at a moment: who they are and what they assist on. */
export interface View {
  readonly user: string;
  readonly mfa: boolean;
  readonly live: readonly LiveRow[];
}

const isOpen = ({ status }: CanaryTicket): boolean => status === 'NEW' || status === 'OPEN' || status === 'PENDING';

/**
 * Says what somebody may see, by reading the payments team's file as a person would, and the design's sentences on
 * assistance. It shares no code with the gateway's policy, plan, masks or rules: where the two differ, one of them is wrong.
 */
export class ExposureOracle {
  private readonly policy: z.infer<typeof policyFile>;

  constructor(text = readFileSync('schema/exposure.yaml', 'utf8')) {
    this.policy = policyFile.parse(parse(text));
  }

  /** The verdicts of somebody's roles for a field under a link. */
  verdicts(user: string, coordinate: string, link: LinkAssurance): readonly string[] {
    const [type = '', field = ''] = coordinate.split('.');
    const ofType = this.policy.fields[type] ?? {};
    const entry = ofType[field] ?? ofType['*'] ?? 'deny';
    return rolesOf(user).map((role) => {
      const ofRole = typeof entry === 'string' ? entry : (entry[role] ?? entry['*'] ?? 'deny');
      return typeof ofRole === 'string' ? ofRole : (ofRole[link] ?? 'deny');
    });
  }

  private isInClear(user: string, coordinate: string, link: LinkAssurance): boolean {
    return this.verdicts(user, coordinate, link).includes('reveal');
  }

  private worksWith(view: View, ticket: CanaryTicket): boolean {
    const grounds = rolesOf(view.user).flatMap((role) => this.policy.scope[role] ?? []);
    return (
      (grounds.includes('own') && ticket.assignee === view.user) ||
      (grounds.includes('team') && teamsOf(view.user).includes(ticket.team)) ||
      (grounds.includes('assisted') && view.live.some((each) => each.ticket === ticket))
    );
  }

  /** Whether an assistance that the gateway let begin is one that it may: null, or what is wrong with it. */
  objection(view: View, { ticket, automatic, approver }: LiveRow): string | null {
    const { user } = view;
    const says = (what: string) => `${user} assists on ${ticket.name}: ${what}`;
    if (!rolesOf(user).some((role) => role === 'AGENT' || role === 'SUPERVISOR')) return says('the role never assists');
    if (!isOpen(ticket)) return says('it is closed');
    const isSelfMade = ticket.createdByStaff === user || ticket.customerSetBy.includes(user);
    if (automatic) {
      if (ticket.assignee !== user) return says('it is somebody else’s');
      if (ticket.assignedBy === user && !teamsOf(user).includes(ticket.team)) return says('it was taken from another team');
      return isSelfMade ? says('they made it themselves') : null;
    }
    if (!this.worksWith({ ...view, live: [] }, ticket)) return says('it is outside what they work with');
    const needsApproval = isSelfMade || rolesOf(user).every((role) => role === 'AGENT');
    if (!needsApproval) return null;
    if (approver === null) return says('nobody approved');
    if (approver === user) return says('they approved it themselves');
    return rolesOf(approver).includes('SUPERVISOR') && teamsOf(approver).includes(ticket.team)
      ? null
      : says('the approver is no supervisor of the team');
  }

  /** May this canary stand, in clear, in something that is sent to this person? */
  mayShow(view: View, canary: Canary): boolean {
    const { ground, ticket, customer } = canary;
    if (ground === 'never') return false;
    if (!view.mfa && !canary.unpoliced) return false;
    if (ground === 'told') return this.isTold(view, canary);
    if (ground === 'alert') {
      if (!this.assistsWhereTold(view, canary)) return false;
      return this.leaves(view, canary, customer?.link ?? 'NONE');
    }
    if (ticket && !this.worksWith(view, ticket)) return false;
    // Words in a ticket that is about nobody lead to nobody's payments.
    if (ground === 'ticket' && ticket?.customer && !view.live.some((each) => each.ticket === ticket)) return false;
    if (ground === 'customer' && !view.live.some((each) => each.customer === customer)) return false;
    return this.leaves(view, canary, ground === 'customer' && customer ? customer.link : 'NONE');
  }

  private leaves({ user }: View, { ways }: Canary, link: LinkAssurance): boolean {
    return ways.some((way) => way.every((coordinate) => this.isInClear(user, coordinate, link)));
  }

  private assistsWhereTold({ live }: View, { ticket, customer }: Canary): boolean {
    return live.some((each) => each.customer === customer && (ticket === null || each.ticket === ticket));
  }

  /** That there is an alert is told to whoever was given its ticket by others, and to whoever assists there; who looks after the rules knows it by our id. */
  private isTold(view: View, canary: Canary): boolean {
    const { user } = view;
    if (rolesOf(user).some((role) => ['PAYMENTS', 'AUDITOR', 'ADMIN'].includes(role))) return true;
    if (this.assistsWhereTold(view, canary)) return true;
    const { ticket } = canary;
    if (ticket === null || ticket.assignee !== user || !isOpen(ticket)) return false;
    if (ticket.createdByStaff === user || ticket.customerSetBy.includes(user)) return false;
    return ticket.assignedBy !== user || teamsOf(user).includes(ticket.team);
  }
}

export const rolesOf = (user: string): readonly string[] => developmentPeople.find((each) => each.user === user)?.roles ?? [];
export const teamsOf = (user: string): readonly string[] => developmentPeople.find((each) => each.user === user)?.teams ?? [];
