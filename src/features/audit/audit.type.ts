import { Field, ID, InputType, Int, ObjectType, registerEnumType } from 'type-graphql';
import type { FieldOfDisclosure, StatedPlan } from '../../audit/access-plan';
import { namedPerEvent } from '../../audit/event';
import type { Leaf } from '../../audit/leaf';
import { type LinkAssurance, roles } from '../../authz/actor';
import { Exposed, FiltersBy } from '../../graphql/decorators';
import { enumOf } from '../../graphql/enum-of';
import { Listed } from '../../graphql/listed';
import { DateTime, SafeInt } from '../../graphql/scalars';
import type { Shown, ShownObject } from '../../graphql/shown';
import type { AnchoredCheckpoint } from '../../ledger/anchored';
import type { SignedCheckpoint } from '../../ledger/checkpoints';
import { longestProof, mostAnchors, mostDisclosedFields, mostTickets } from './audit.bounds';
import { changesIn } from './changes';
import { fieldsOf, planAmong } from './disclosed-fields';

export const auditOutcomes = ['ALLOWED', 'DENIED'] as const;
export type AuditOutcome = (typeof auditOutcomes)[number];
export const AuditOutcomeEnum = enumOf(auditOutcomes);
registerEnumType(AuditOutcomeEnum, { name: 'AuditOutcome' });

/** An event with its place, as read from the stored leaf, and whom it is about. */
export interface PlacedEvent {
  readonly leaf: Leaf;
  readonly leafIndex: number;
  readonly leafHash: string;
  readonly customers: readonly NonNullable<ShownObject['customer']>[];
  /** By digest, the plans that are known here. */
  readonly plans: ReadonlyMap<string, { readonly plan: StatedPlan }>;
}

@ObjectType('AuditActor', { simpleResolvers: true, description: 'Who acted, under our own id for them, and as what.' })
export class AuditActor {
  constructor(private readonly actor: Leaf['actor']) {}

  @Exposed('INTERNAL', () => ID)
  get id(): string {
    return this.actor.id;
  }

  @Exposed('INTERNAL', () => String, { description: 'staff, service, customer or system.' })
  get kind(): string {
    return this.actor.kind;
  }

  @Listed({ most: roles.length, parts: true })
  @Exposed('INTERNAL', () => [String], { description: 'The roles that the actor had at that moment.' })
  get roles(): readonly string[] {
    return this.actor.roles;
  }
}

@ObjectType({ simpleResolvers: true, description: 'What an event is about.' })
export class AuditSubject {
  @Exposed('INTERNAL', () => String)
  type!: string;

  @Exposed('INTERNAL', () => ID)
  id!: string;
}

@ObjectType({ simpleResolvers: true, description: 'One fact that an event states: a state before and after, a reason, a count.' })
export class AuditChange {
  @Exposed('INTERNAL', () => String)
  name!: string;

  @Exposed('INTERNAL', () => String, { nullable: true })
  before!: string | null;

  @Exposed('INTERNAL', () => String, { nullable: true })
  after!: string | null;
}

@ObjectType({ simpleResolvers: true, description: 'One field of the graph that was shown, under which verdict and how often.' })
export class DisclosedField implements FieldOfDisclosure {
  @Exposed('INTERNAL', () => String)
  field!: string;

  @Exposed('INTERNAL', () => String)
  verdict!: string;

  @Exposed('INTERNAL', () => Int)
  count!: number;
}

@ObjectType({ simpleResolvers: true, description: 'Objects of one type that were shown, by our own ids.' })
export class AuditObjects {
  @Exposed('INTERNAL', () => String)
  type!: string;

  @Listed({ most: namedPerEvent, parts: true })
  @Exposed('INTERNAL', () => [ID])
  ids!: readonly string[];
}

@ObjectType({ simpleResolvers: true, description: 'Somebody an event is about. Empty once they were erased.' })
export class AuditCustomer implements Shown {
  readonly linkAssurance: LinkAssurance = 'NONE';

  constructor(
    private readonly eventId: string,
    private readonly customer: NonNullable<ShownObject['customer']>,
  ) {}

  get shown(): ShownObject {
    return { type: 'AuditEvent', id: this.eventId, ticketId: null, customer: this.customer, underAssistance: false };
  }

  @Exposed('PERSONAL', () => ID, { nullable: true })
  get id(): string {
    return this.customer.id;
  }
}

@ObjectType('AuditEvent', { simpleResolvers: true, description: 'One entry of the log, as its leaf has it.' })
export class AuditEventType implements Shown {
  readonly linkAssurance: LinkAssurance = 'NONE';

  constructor(private readonly event: PlacedEvent) {}

  get shown(): ShownObject {
    const [only = null, ...more] = this.event.customers;
    return {
      type: 'AuditEvent',
      id: this.event.leaf.id,
      ticketId: null,
      customer: more.length === 0 ? only : null,
      underAssistance: false,
    };
  }

  @Exposed('INTERNAL', () => ID)
  get id(): string {
    return this.event.leaf.id;
  }

  @Exposed('INTERNAL', () => DateTime)
  get at(): Date {
    return new Date(this.event.leaf.at);
  }

  @Exposed('INTERNAL', () => String)
  get action(): string {
    return this.event.leaf.action;
  }

  @Exposed('INTERNAL', () => AuditOutcomeEnum)
  get outcome(): string {
    return this.event.leaf.outcome;
  }

  @Exposed('INTERNAL', () => AuditActor, { nullable: true })
  get actor(): AuditActor {
    return new AuditActor(this.event.leaf.actor);
  }

  @Exposed('INTERNAL', () => ID, { nullable: true, description: 'The ticket where it is one; otherwise look into ticketIds.' })
  get ticketId(): string | null {
    return this.event.leaf.ticket;
  }

  @Listed({ most: mostTickets, parts: true })
  @Exposed('INTERNAL', () => [ID], { description: 'Every ticket it is about.' })
  get ticketIds(): readonly string[] {
    const { ticket, detail } = this.event.leaf;
    return [...new Set([...(ticket === null ? [] : [ticket]), ...stringsIn(detail.tickets)])];
  }

  @Exposed('INTERNAL', () => ID, { nullable: true })
  get assistanceId(): string | null {
    return this.event.leaf.assistance;
  }

  @Exposed('PERSONAL', () => ID, { description: 'Whom it is about where it is one; otherwise look into customers.' })
  get customerId(): string | null {
    return this.shown.customer?.id ?? null;
  }

  @Listed({ most: namedPerEvent, parts: true })
  @Exposed('PERSONAL', () => [AuditCustomer], { description: 'Everybody it is about.' })
  get customers(): readonly AuditCustomer[] {
    return this.event.customers.map((customer) => new AuditCustomer(this.event.leaf.id, customer));
  }

  @Exposed('INTERNAL', () => AuditSubject, { nullable: true })
  get subject(): AuditSubject | null {
    return this.event.leaf.subject;
  }

  @Listed({ most: 30, parts: true })
  @Exposed('INTERNAL', () => [AuditChange], { nullable: true, description: 'Not what tells of links or payments: exports do.' })
  get changes(): readonly AuditChange[] {
    return changesIn(this.event.leaf, (digest) => planAmong(this.event.plans, digest));
  }

  // A mask instead of a value tells how surely the customer is linked.
  @Listed({ most: mostDisclosedFields, parts: true })
  @Exposed('PERSONAL', () => [DisclosedField], { description: 'Of a disclosure.', from: ['Customer.link'] })
  get disclosedFields(): readonly DisclosedField[] | null {
    return fieldsOf(this.event.leaf, (digest) => planAmong(this.event.plans, digest));
  }

  @Listed({ most: 20, parts: true })
  @Exposed('INTERNAL', () => [AuditObjects], { nullable: true, description: 'Of a disclosure: what was shown, by type.' })
  get objects(): readonly AuditObjects[] | null {
    const { objects } = this.event.leaf.detail;
    if (typeof objects !== 'object' || objects === null) return null;
    return Object.entries(objects).map(([type, ids]) => ({ type, ids: stringsIn(ids) }));
  }

  @Exposed('INTERNAL', () => SafeInt, { nullable: true })
  get leafIndex(): number {
    return this.event.leafIndex;
  }

  @Exposed('INTERNAL', () => String, { nullable: true, description: 'RFC 6962, 2.1, in hexadecimal.' })
  get leafHash(): string {
    return this.event.leafHash;
  }
}

const stringsIn = (value: unknown): readonly string[] =>
  Array.isArray(value) ? value.filter((each): each is string => typeof each === 'string') : [];

@InputType({ description: 'All that is given must hold. Times are half-open: from is in, before is not.' })
export class AuditEventFilter {
  @FiltersBy('AuditEvent.id')
  @Field(() => ID, { nullable: true })
  id?: string;

  @FiltersBy('AuditActor.id')
  @Field(() => ID, { nullable: true })
  actorId?: string;

  @FiltersBy('AuditEvent.action')
  @Field(() => String, { nullable: true })
  action?: string;

  @FiltersBy('AuditEvent.outcome')
  @Field(() => AuditOutcomeEnum, { nullable: true })
  outcome?: AuditOutcome;

  @FiltersBy('AuditEvent.ticketId')
  @Field(() => ID, { nullable: true })
  ticketId?: string;

  @FiltersBy('AuditEvent.customerId')
  @Field(() => ID, { nullable: true })
  customerId?: string;

  @FiltersBy('AuditSubject.type')
  @Field(() => String, { nullable: true })
  subjectType?: string;

  @FiltersBy('AuditSubject.id')
  @Field(() => ID, { nullable: true })
  subjectId?: string;

  @FiltersBy('AuditEvent.at')
  @Field(() => DateTime, { nullable: true })
  from?: Date;

  @FiltersBy('AuditEvent.at')
  @Field(() => DateTime, { nullable: true })
  before?: Date;
}

@ObjectType({ simpleResolvers: true, description: 'A checkpoint that a place outside its owner’s reach took.' })
export class AuditAnchoring {
  constructor(private readonly anchored: AnchoredCheckpoint) {}

  @Exposed('INTERNAL', () => String)
  get anchor(): string {
    return this.anchored.anchor;
  }

  @Exposed('INTERNAL', () => SafeInt)
  get treeSize(): number {
    return this.anchored.size;
  }

  @Exposed('INTERNAL', () => DateTime)
  get anchoredAt(): Date {
    return this.anchored.at;
  }

  @Exposed('INTERNAL', () => String, { description: 'The signed note as anchored, with the cosignature of a witness.' })
  get note(): string {
    return this.anchored.note;
  }
}

@ObjectType('AuditCheckpoint', {
  simpleResolvers: true,
  description: 'A signed tree head (C2SP tlog-checkpoint): so many events, under this root.',
})
export class AuditCheckpointType {
  constructor(
    private readonly checkpoint: SignedCheckpoint,
    private readonly anchored: readonly AnchoredCheckpoint[],
  ) {}

  @Exposed('INTERNAL', () => String)
  get origin(): string {
    return this.checkpoint.origin;
  }

  @Exposed('INTERNAL', () => SafeInt)
  get treeSize(): number {
    return this.checkpoint.size;
  }

  @Exposed('INTERNAL', () => String, { description: 'In hexadecimal.' })
  get rootHash(): string {
    return this.checkpoint.root.toString('hex');
  }

  @Exposed('INTERNAL', () => DateTime)
  get signedAt(): Date {
    return this.checkpoint.signedAt;
  }

  @Exposed('INTERNAL', () => String, { description: 'The signed note, as "counterfoil audit verify --since" takes it.' })
  get note(): string {
    return this.checkpoint.note;
  }

  @Exposed('INTERNAL', () => Boolean, { description: 'Nothing outside its owner’s reach holds this log’s checkpoints.' })
  get unanchored(): boolean {
    return this.checkpoint.extensions.length > 0;
  }

  @Listed({ most: mostAnchors, parts: true })
  @Exposed('INTERNAL', () => [AuditAnchoring], { description: 'The latest checkpoint of each anchor, the largest first.' })
  get anchors(): readonly AuditAnchoring[] {
    return this.anchored.map((each) => new AuditAnchoring(each));
  }
}

const hexOf = (hashes: readonly Buffer[]): readonly string[] => hashes.map((hash) => hash.toString('hex'));

@ObjectType('AuditInclusionProof', {
  simpleResolvers: true,
  description: 'Shows that an event is in the tree of this size (RFC 9162, 2.1.3). Hashes in hexadecimal.',
})
export class AuditInclusionProof {
  constructor(
    private readonly proof: {
      readonly eventId: string;
      readonly leafIndex: number;
      readonly leafHash: string;
      readonly treeSize: number;
      readonly path: readonly Buffer[];
      readonly root: Buffer;
      readonly checkpoint: AuditCheckpointType | null;
    },
  ) {}

  @Exposed('INTERNAL', () => ID)
  get eventId(): string {
    return this.proof.eventId;
  }

  @Exposed('INTERNAL', () => SafeInt)
  get leafIndex(): number {
    return this.proof.leafIndex;
  }

  @Exposed('INTERNAL', () => String)
  get leafHash(): string {
    return this.proof.leafHash;
  }

  @Exposed('INTERNAL', () => SafeInt)
  get treeSize(): number {
    return this.proof.treeSize;
  }

  @Listed({ most: longestProof, parts: true })
  @Exposed('INTERNAL', () => [String])
  get path(): readonly string[] {
    return hexOf(this.proof.path);
  }

  @Exposed('INTERNAL', () => String)
  get rootHash(): string {
    return this.proof.root.toString('hex');
  }

  @Exposed('INTERNAL', () => AuditCheckpointType, { nullable: true, description: 'Where one of this size was signed.' })
  get checkpoint(): AuditCheckpointType | null {
    return this.proof.checkpoint;
  }
}

@ObjectType('AuditConsistencyProof', {
  simpleResolvers: true,
  description: 'Shows that the tree of size to continues the one of size from (RFC 9162, 2.1.4). Hashes in hexadecimal.',
})
export class AuditConsistencyProof {
  constructor(
    private readonly proof: {
      readonly from: number;
      readonly to: number;
      readonly fromRoot: Buffer;
      readonly toRoot: Buffer;
      readonly path: readonly Buffer[];
    },
  ) {}

  @Exposed('INTERNAL', () => SafeInt)
  get from(): number {
    return this.proof.from;
  }

  @Exposed('INTERNAL', () => SafeInt)
  get to(): number {
    return this.proof.to;
  }

  @Exposed('INTERNAL', () => String)
  get fromRootHash(): string {
    return this.proof.fromRoot.toString('hex');
  }

  @Exposed('INTERNAL', () => String)
  get toRootHash(): string {
    return this.proof.toRoot.toString('hex');
  }

  @Listed({ most: longestProof, parts: true })
  @Exposed('INTERNAL', () => [String])
  get path(): readonly string[] {
    return hexOf(this.proof.path);
  }
}

@ObjectType('AuditCount', { simpleResolvers: true, description: 'How often one actor did one thing.' })
export class AuditCount {
  constructor(
    private readonly row: { readonly actorId: string; readonly action: string; readonly outcome: string; readonly count: number },
  ) {}

  @Exposed('INTERNAL', () => ID)
  get actorId(): string {
    return this.row.actorId;
  }

  @Exposed('INTERNAL', () => String)
  get action(): string {
    return this.row.action;
  }

  @Exposed('INTERNAL', () => AuditOutcomeEnum)
  get outcome(): string {
    return this.row.outcome;
  }

  @Exposed('INTERNAL', () => Int)
  get count(): number {
    return this.row.count;
  }
}

@ObjectType('PolicyInForce', { simpleResolvers: true, description: 'The exposure policy that was in force, by its digest.' })
export class PolicyInForce {
  constructor(
    private readonly row: { readonly digest: string; readonly since: Date; readonly eventId: string; readonly leafIndex: number },
  ) {}

  @Exposed('INTERNAL', () => String, { description: 'As "counterfoil policy check" prints it.' })
  get digest(): string {
    return this.row.digest;
  }

  @Exposed('INTERNAL', () => DateTime)
  get since(): Date {
    return this.row.since;
  }

  @Exposed('INTERNAL', () => ID)
  get eventId(): string {
    return this.row.eventId;
  }

  @Exposed('INTERNAL', () => SafeInt)
  get leafIndex(): number {
    return this.row.leafIndex;
  }
}
