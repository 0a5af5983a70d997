import { ID, Int, ObjectType } from 'type-graphql';
import type { Leaf } from '../../audit/leaf';
import type { LinkAssurance } from '../../authz/actor';
import { Exposed } from '../../graphql/decorators';
import { Listed } from '../../graphql/listed';
import { DateTime, SafeInt } from '../../graphql/scalars';
import type { Shown, ShownObject } from '../../graphql/shown';
import { mostTrailLinks } from './audit.bounds';
import { AuditActor, AuditOutcomeEnum, AuditSubject } from './audit.type';
import { countsIn, manyOthers, numberIn, textIn, textsIn } from './trail.facts';

/** An event on a trail, with what it rests on and led to on it. */
export interface TrailStep {
  readonly leaf: Leaf;
  readonly leafIndex: number;
  /** Of whom the trail is, or whom the step is about where that is only who its ticket was of before; null where nobody is known by it. */
  readonly customer: ShownObject['customer'];
  /** The stored event isn't what the log has in its place, or isn't about whom the rows beside it name. */
  readonly isAltered: boolean;
  /** It is about whom the trail is of, or about nobody: what it was about otherwise isn't shown. */
  readonly isTheirs: boolean;
  readonly restsOn: readonly string[];
  readonly ledTo: readonly string[];
  /** Customers that it is about beside whom the trail is of. */
  readonly others: number;
  /** It is the first that is shown, and there were earlier ones. */
  readonly isCut: boolean;
}

@ObjectType('DecisionStep', {
  simpleResolvers: true,
  description:
    'One event on the way to what was decided about a customer’s payments, as its leaf has it: no amounts, places or texts, and of other customers no more than "5 or more".',
})
export class DecisionStepType implements Shown {
  readonly linkAssurance: LinkAssurance = 'NONE';

  constructor(private readonly step: TrailStep) {}

  get shown(): ShownObject {
    const { leaf, customer } = this.step;
    return { type: 'AuditEvent', id: leaf.id, ticketId: null, customer, underAssistance: false };
  }

  /** What an altered event states is nobody's word. */
  private get detail(): Leaf['detail'] {
    return this.step.isAltered ? {} : this.step.leaf.detail;
  }

  @Exposed('INTERNAL', () => ID)
  get eventId(): string {
    return this.step.leaf.id;
  }

  @Exposed('INTERNAL', () => SafeInt)
  get leafIndex(): number {
    return this.step.leafIndex;
  }

  @Exposed('INTERNAL', () => DateTime)
  get at(): Date {
    return new Date(this.step.leaf.at);
  }

  @Exposed('INTERNAL', () => String)
  get action(): string {
    return this.step.leaf.action;
  }

  @Exposed('INTERNAL', () => AuditOutcomeEnum)
  get outcome(): string {
    return this.step.leaf.outcome;
  }

  @Exposed('INTERNAL', () => AuditActor)
  get actor(): AuditActor {
    return new AuditActor(this.step.leaf.actor);
  }

  @Exposed('INTERNAL', () => AuditSubject, { nullable: true, description: 'What it is about: an alert, a hold, a demand …' })
  get subject(): AuditSubject | null {
    return this.step.leaf.subject;
  }

  @Exposed('INTERNAL', () => ID, { nullable: true })
  get ticketId(): string | null {
    return this.step.isTheirs ? this.step.leaf.ticket : null;
  }

  @Exposed('INTERNAL', () => ID, { nullable: true, description: 'Under which it was done.' })
  get assistanceId(): string | null {
    return this.step.isTheirs ? this.step.leaf.assistance : null;
  }

  @Exposed('INTERNAL', () => String, { nullable: true, description: 'The rule behind it, as the rules’ file names it.' })
  get rule(): string | null {
    return textIn(this.detail.rule);
  }

  @Exposed('INTERNAL', () => Int, { nullable: true, description: 'Of the rule.' })
  get version(): number | null {
    return numberIn(this.detail.version);
  }

  @Listed({ most: mostTrailLinks, parts: true })
  @Exposed('INTERNAL', () => [String], { description: 'What was counted, as `attempts 4`.' })
  get counts(): readonly string[] {
    return countsIn(this.detail);
  }

  @Exposed('INTERNAL', () => String, { nullable: true, description: 'The state before, where it was a move.' })
  get from(): string | null {
    return textIn(this.detail.from);
  }

  @Exposed('INTERNAL', () => String, {
    nullable: true,
    description: 'The state afterwards, or what was decided, answered or said.',
  })
  get to(): string | null {
    const { to, verdict, answer, resolution, level, state, mode } = this.detail;
    return [to, verdict, answer, resolution, level, state, mode].map(textIn).find((word) => word !== null) ?? null;
  }

  @Listed({ most: mostTrailLinks, parts: true })
  @Exposed('INTERNAL', () => [String], { description: 'What it was to bring about, or did.' })
  get effects(): readonly string[] {
    const { done, effects, needs, effect } = this.detail;
    const single = textIn(effect);
    return [...new Set([...textsIn(done), ...textsIn(effects), ...textsIn(needs), ...(single === null ? [] : [single])])];
  }

  @Listed({ most: mostTrailLinks, parts: true })
  @Exposed('INTERNAL', () => [String], {
    description: 'Signals as `source/id`, events, tickets, assistances, alerts, holds, demands and questions, by their ids.',
  })
  get restsOn(): readonly string[] {
    return this.step.restsOn;
  }

  @Listed({ most: mostTrailLinks, parts: true })
  @Exposed('INTERNAL', () => [ID], { description: 'Events on this trail that rest on it.' })
  get ledTo(): readonly string[] {
    return this.step.ledTo;
  }

  @Exposed('INTERNAL', () => String, {
    nullable: true,
    description: '"5 or more" where it is about so many others; null for none and for fewer.',
  })
  get otherCustomers(): string | null {
    return manyOthers(this.step.others);
  }

  @Exposed('INTERNAL', () => Boolean, {
    description: 'What is stored isn’t what the log has in its place: nothing that it states is shown. Run "counterfoil doctor".',
  })
  get isAltered(): boolean {
    return this.step.isAltered;
  }

  @Exposed('INTERNAL', () => Boolean, {
    description: 'There were more steps than are shown, and earlier ones were left out. True of the first step alone.',
  })
  get isCut(): boolean {
    return this.step.isCut;
  }
}
