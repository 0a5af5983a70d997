import type { SystemChange } from '../../db/change';
import type { RuleEffect, RuleMode, Verdict } from '../../risk/rule';
import type { Actors } from '../actors/actors.service';
import { openAlertOf, raise, toldOn, wasFalseBefore } from '../alerts/raising';
import type { Brakes } from '../brakes/brakes.service';
import type { CardInvitations } from '../credentials/invite/card-invitations.service';
import { demandLasts } from '../decisions/demands';
import type { StepUps } from '../decisions/step-ups.service';
import type { HoldEffectKind } from '../holds/hold.states';
import type { Holds } from '../holds/holds.service';
import { longestHold } from '../holds/placing';
import type { Keys } from '../keys/keys.service';
import type { Outreach } from '../outreach/outreach.service';
import { loggedName } from '../signals/logged-name';
import { ownSource } from '../signals/own-source';
import { alertDraft } from './alert-drafts';
import { spentSender } from './senders-holds';

/** A verdict with the mode of its rule and whom it is about, as far as they are known here. */
export interface JudgedVerdict {
  readonly verdict: Verdict;
  readonly mode: Exclude<RuleMode, 'OFF'>;
  readonly isAboutAgents: boolean;
  /** `cus_…`. */
  readonly customers: readonly string[];
  /** All that signals call them by. */
  readonly names: readonly string[];
  /** `cus_…` of all whom its evidence names, where a hold on them as a group follows. */
  readonly group: readonly string[];
}

/** An earlier verdict, as its event states it. */
export interface EarlierVerdict {
  readonly at: number;
  readonly window: number;
  readonly effects: readonly string[];
  readonly done: readonly string[];
  /** `cus_…` that it is about. */
  readonly customers: readonly string[];
}

/** What followed of a verdict, and for whom. */
export interface Followed {
  readonly done: readonly RuleEffect[];
  /** `cus_…`, of those whom it is about. */
  readonly customers: readonly string[];
}

export interface ConsequenceParts {
  readonly keys: Keys;
  readonly brakes: Pick<Brakes, 'place'>;
  readonly holds: Pick<Holds, 'place'>;
  readonly invitations: Pick<CardInvitations, 'plan'>;
  readonly outreach: Pick<Outreach, 'open'>;
  readonly stepUps: Pick<StepUps, 'open'>;
  readonly sessions: Pick<Actors, 'endMoved'>;
  /** How many holds of a day may be placed by what each sender of signals tells, by its name; what is more is proposed. */
  readonly holdsOfSenders: ReadonlyMap<string, number>;
  /** A hold was proposed in place of one that would have been placed. */
  readonly onSpentSender: (source: string) => void;
}

/** For how long what a rule wants to wait does, in milliseconds: as long as a hold may stand. */
const heldFor = longestHold;
/** What a rule proposes to hold of somebody whose account may be in other hands: what isn't paid out yet, and what is to come. */
const ofAnAccount: readonly HoldEffectKind[] = ['DEFER_CAPTURE', 'BLOCK_NEW', 'HOLD_ORDER'];
/** Of many who may be one: somebody looks at what they buy. */
const ofAGroup: readonly HoldEffectKind[] = ['REVIEW', 'HOLD_ORDER'];

/** Whom a rule wants to hold, and what of theirs. */
interface HeldByRule {
  readonly of: readonly string[];
  readonly effects: readonly HoldEffectKind[];
  readonly isProposal?: boolean;
  /** With everybody of the mail domain that the verdict is about. */
  readonly isGroup?: boolean;
}

/** The ticket that a verdict is about, if it is one of ours. */
export const ticketIn = ({ subjects: { ticket } }: Verdict): string | null => (ticket?.startsWith('tkt_') ? ticket : null);

/** What follows for one customer, each in the change that records the verdict. True where it did. */
type ForCustomer = (change: SystemChange, judged: JudgedVerdict, customerId: string) => Promise<boolean>;

/**
 * The customer contradicts a payment after somebody said that it was a false alarm: what was known then was settled by that, and what is stated since is
 * something else to look at. Whoever wants to hear no more of it snoozes the rule.
 */
const isSaidAnew = async (change: SystemChange, { verdict, names }: JudgedVerdict, customerId: string): Promise<boolean> =>
  verdict.evidence.at(-1)?.facts.outcome === 'contradicted' &&
  (await wasFalseBefore(change, alertDraft(verdict, customerId, names), verdict.at));

/** What follows of verdicts of rules that are on. */
export class Consequences {
  private readonly forCustomers: Partial<Readonly<Record<RuleEffect, ForCustomer>>> = {
    alert: async (change, { verdict, names }, customerId) => {
      const { outcome } = await raise(change, this.parts.keys, alertDraft(verdict, customerId, names));
      return outcome === 'raised' || outcome === 'updated' || outcome === 'unchanged';
    },
    // An update reads the verdict itself.
    'high-risk-update': async () => true,
    'hold-orders': (change, judged, customerId) => this.holds(change, judged, { of: [customerId], effects: ['HOLD_ORDER'] }),
    'propose-hold': (change, judged, customerId) =>
      this.holds(change, judged, { of: [customerId], effects: ofAnAccount, isProposal: true }),
    'invite-replace-card': async (change, { verdict }, customerId) => {
      const { rule, version: ruleVersion, evidence, subjects } = verdict;
      const endsAt = evidence.at(-1)?.facts.deadline;
      const { card: paymentMethodId } = subjects;
      if (paymentMethodId === undefined || endsAt === undefined) return false;
      const restsOn = evidence.map(loggedName);
      return this.parts.invitations.plan(change, { customerId, paymentMethodId, endsAt, rule, ruleVersion, restsOn });
    },
    // About what the alert tells: without one, as where it is snoozed, nobody is to look.
    'outreach-ticket': async (change, { verdict, names }, customerId) => {
      const draft = alertDraft(verdict, customerId, names);
      const alertId = await openAlertOf(change, draft);
      if (alertId === null) return false;
      const { rule, version: ruleVersion } = verdict;
      return this.parts.outreach.open(change, { alertId, customerId, rule, ruleVersion, restsOn: draft.signals });
    },
  };

  constructor(private readonly parts: ConsequenceParts) {}

  /** Does what follows and hasn't followed yet. `same`: what was said of the same subject within the window. */
  async carryOut(change: SystemChange, judged: JudgedVerdict, same: readonly EarlierVerdict[]): Promise<Followed> {
    // Whoever has the ticket may be whom a rule about staff is about: those are for others to look at.
    if (judged.isAboutAgents) {
      const braked: readonly RuleEffect[] = (await this.brakes(change, judged)) ? ['brake'] : [];
      const ended: readonly RuleEffect[] = (await this.endsSession(change, judged)) ? ['end-session'] : [];
      return { done: [...braked, ...ended], customers: [] };
    }
    const done = new Set<RuleEffect>();
    const customers = new Set<string>();
    // Of each an alert tells, whatever else follows.
    for (const effect of new Set<RuleEffect>(['alert', ...judged.verdict.effects]))
      for (const customerId of judged.customers) {
        const isDone = same.some((each) => each.done.includes(effect) && each.customers.includes(customerId));
        if (isDone && !(effect === 'alert' && (await isSaidAnew(change, judged, customerId)))) continue;
        if (!(await this.forCustomers[effect]?.(change, judged, customerId))) continue;
        done.add(effect);
        customers.add(customerId);
      }
    if (await this.holdsGroup(change, judged, same)) done.add('propose-group-hold');
    if (await this.challenges(change, judged, same)) {
      done.add('challenge');
      for (const customerId of judged.customers) customers.add(customerId);
    }
    return { done: [...done], customers: [...customers] };
  }

  /** Whether somebody is to be authenticated by this who wasn't: the customer by the name that payments go by, or each of a group. */
  private async challenges(change: SystemChange, judged: JudgedVerdict, same: readonly EarlierVerdict[]): Promise<boolean> {
    const { verdict, names, group } = judged;
    const effect: RuleEffect = 'challenge';
    if (!verdict.effects.includes(effect)) return false;
    // Of what many share each of them is asked for by themselves; of whom nobody knows here the demand that is open says so.
    if (same.some(({ done, customers }) => done.includes(effect) && customers.some((id) => judged.customers.includes(id))))
      return false;
    const [named] = names;
    const customer = names.find((name) => name.startsWith('pcu_')) ?? named;
    let isNew = false;
    for (const customerId of customer === undefined ? group : [customer]) {
      const opened = await this.parts.stepUps.open(change, {
        customerId,
        origin: { rule: verdict.rule, version: verdict.version },
        restsOn: verdict.evidence.map(loggedName),
        until: new Date(change.at.getTime() + demandLasts),
      });
      isNew ||= 'isNew' in opened && opened.isNew;
    }
    return isNew;
  }

  /** Whether a hold on all of them was proposed by this. */
  private async holdsGroup(change: SystemChange, judged: JudgedVerdict, same: readonly EarlierVerdict[]): Promise<boolean> {
    const effect: RuleEffect = 'propose-group-hold';
    if (!judged.verdict.effects.includes(effect) || same.some(({ done }) => done.includes(effect))) return false;
    return this.holds(change, judged, { of: judged.group, effects: ofAGroup, isProposal: true, isGroup: true });
  }

  /** Whether something waits by this that didn't. */
  private async holds(
    change: SystemChange,
    { verdict }: JudgedVerdict,
    { of, effects, isProposal = false, isGroup = false }: HeldByRule,
  ): Promise<boolean> {
    const { rule, version, subjects, evidence } = verdict;
    const [first] = of;
    const emailDomain = isGroup ? (subjects.emailDomain ?? null) : null;
    const ticketId =
      first === undefined || isGroup ? null : await toldOn(change, { ticketId: ticketIn(verdict), customerId: first });
    const spent = isProposal ? null : await spentSender(change, this.parts.holdsOfSenders, evidence);
    const placed = await this.parts.holds.place(change, {
      key: JSON.stringify([rule, effects, isGroup ? emailDomain : first]),
      cause: 'RULE',
      isProposal: isProposal || spent !== null,
      ticketId,
      customerIds: of,
      transactionId: null,
      emailDomain,
      effects,
      until: new Date(change.at.getTime() + heldFor),
      rule,
      ruleVersion: version,
      restsOn: evidence.map(loggedName),
      reason: null,
    });
    const isNew = 'isNew' in placed && placed.isNew;
    if (isNew && spent !== null) {
      const most = this.parts.holdsOfSenders.get(spent) as number;
      change.record('signal.holds-spent', { subject: { type: 'Hold', id: placed.id }, detail: { source: spent, most } });
      this.parts.onSpentSender(spent);
    }
    return isNew;
  }

  /**
   * Whether a brake was put on somebody by this, who had none of this rule. It rests on what the gateway itself saw: whoever may tell
   * of payments can't stop the staff by telling of them.
   */
  private async brakes(change: SystemChange, { verdict }: JudgedVerdict): Promise<boolean> {
    const { staff, team } = verdict.subjects;
    if (staff === undefined || !verdict.effects.includes('brake')) return false;
    if (!verdict.evidence.every(({ source }) => source === ownSource)) return false;
    const placed = await this.parts.brakes.place(change, {
      stops: staff.startsWith('act_') ? { actorId: staff, staffIds: [] } : { actorId: null, staffIds: [staff] },
      teams: team === undefined ? [] : [team],
      level: 'READS',
      rule: verdict.rule,
      ruleVersion: verdict.version,
      signals: verdict.evidence.map(loggedName),
    });
    return placed?.isNew === true;
  }

  /**
   * Whether a session was ended by this. It rests on what the gateway itself saw of that session alone: whoever signals that somebody was
   * elsewhere can't sign them out, and where tokens name no session nobody knows which one it is.
   */
  private async endsSession(change: SystemChange, { verdict }: JudgedVerdict): Promise<boolean> {
    const { staff: actorId, session } = verdict.subjects;
    if (!verdict.effects.includes('end-session') || session === undefined || !actorId?.startsWith('act_')) return false;
    const isOwn = verdict.evidence.every(({ source, subjects }) => source === ownSource && subjects.session === session);
    if (!isOwn) return false;
    const restsOn = verdict.evidence.map(loggedName);
    return this.parts.sessions.endMoved(change, { actorId, session, rule: verdict.rule, restsOn });
  }
}
