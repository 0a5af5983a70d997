import { Int, ObjectType, registerEnumType } from 'type-graphql';
import { type LinkAssurance, type Role, roles } from '../../authz/actor';
import { type PolicyChange, policyChangeKinds } from '../../authz/policy/change';
import type { FieldClass } from '../../authz/policy/classification';
import { mostHelpdesks, type PolicyProblem } from '../../authz/policy/file';
import { credentialUpdateKinds } from '../../authz/policy/update-policy';
import { Exposed } from '../../graphql/decorators';
import { enumOf } from '../../graphql/enum-of';
import { Listed } from '../../graphql/listed';
import { DateTime } from '../../graphql/scalars';
import { LinkAssuranceEnum } from '../customers/customer.type';
import { RoleEnum } from '../viewer/viewer.type';
import type { Affected } from './affected';
import { FieldClassEnum } from './exposure.type';

/** Changes and problems of one comparison that are told; how many there are is told beside them. */
export const mostChanges = 1_000;
export const mostProblems = 100;
/** Words of what was or is: roles, helpdesks, or what a rule can ask. */
const mostWords = Math.max(roles.length, mostHelpdesks, 2 * credentialUpdateKinds.length);

/** What a policy that somebody sent, or one that was in force, would mean, held against the one in force. Of an unreadable one only its problems are there. */
export interface Comparison {
  readonly inForce: string;
  /** Null where it can't be read. */
  readonly digest: string | null;
  readonly problems: readonly PolicyProblem[];
  readonly problemCount: number;
  readonly changes: readonly PolicyChange[];
  readonly changeCount: number;
  /** Fields that only one of both has a verdict for, as the graph was another one: nothing is told of them. */
  readonly onlyOneNames: number;
  readonly disclosures: Affected | null;
}

const PolicyEffectEnum = enumOf(['EXPOSES', 'RESTRICTS', 'CHANGES']);
registerEnumType(PolicyEffectEnum, {
  name: 'PolicyEffect',
  description: 'EXPOSES: more is shown or allowed than before; RESTRICTS: less; CHANGES: neither, or it can’t be said.',
});

const PolicyChangeKindEnum = enumOf(policyChangeKinds);
registerEnumType(PolicyChangeKindEnum, {
  name: 'PolicyChangeKind',
  description: 'What a change is of: the verdict of a field, or one of the settings.',
});

@ObjectType('PolicyProblem', { simpleResolvers: true, description: 'One mistake in a policy file.' })
class PolicyProblemType {
  @Exposed('INTERNAL', () => Int, { nullable: true, description: 'From 1; null where the file lacks what it should have.' })
  line!: number | null;

  @Exposed('INTERNAL', () => String, { description: 'Where in the file, such as `fields.Customer.email.AGENT`.' })
  path!: string;

  @Exposed('INTERNAL', () => String)
  message!: string;
}

@ObjectType('PolicyChange', {
  simpleResolvers: true,
  description: 'One thing that a policy does otherwise than the one in force.',
})
class PolicyChangeType {
  constructor(private readonly change: PolicyChange) {}

  @Exposed('INTERNAL', () => PolicyChangeKindEnum)
  get kind(): string {
    return this.change.kind;
  }

  @Exposed('INTERNAL', () => String, {
    description: '`Type.field`, or the path of a setting such as `assistance.lifetimeMinutes`.',
  })
  get coordinate(): string {
    return this.change.coordinate;
  }

  @Exposed('INTERNAL', () => RoleEnum, { nullable: true })
  get role(): Role | null {
    return this.change.role;
  }

  @Exposed('INTERNAL', () => LinkAssuranceEnum, { nullable: true, description: 'Null: under every link alike.' })
  get assurance(): LinkAssurance | null {
    return this.change.assurance;
  }

  @Exposed('INTERNAL', () => FieldClassEnum, {
    nullable: true,
    description: 'Of a field, under that link; null of a setting, and of a field that the graph doesn’t have.',
  })
  get class(): FieldClass | null {
    return this.change.class;
  }

  @Exposed('INTERNAL', () => String)
  get before(): string {
    return this.change.before;
  }

  @Exposed('INTERNAL', () => String)
  get after(): string {
    return this.change.after;
  }

  @Listed({ most: mostWords, parts: true })
  @Exposed('INTERNAL', () => [String], {
    description:
      'What was, in the words of the file, for whoever tells it in another language: a verdict, a number, a list; of a rule what it asks, as `link:MATCHED`. None where there was nothing.',
  })
  get from(): readonly string[] {
    return this.change.from;
  }

  @Listed({ most: mostWords, parts: true })
  @Exposed('INTERNAL', () => [String], { description: 'What is, likewise.' })
  get to(): readonly string[] {
    return this.change.to;
  }

  @Exposed('INTERNAL', () => PolicyEffectEnum)
  get effect(): string {
    return this.change.effect.toUpperCase();
  }

  @Exposed('INTERNAL', () => String, { description: 'In words, as “counterfoil policy diff” prints it.' })
  get sentence(): string {
    return this.change.sentence;
  }
}

@ObjectType('AffectedDisclosures', {
  simpleResolvers: true,
  description:
    'How much of what was shown lately would have been shown otherwise. It goes by what was shown: what was denied then, no disclosure names.',
})
class AffectedDisclosuresType implements Affected {
  @Exposed('INTERNAL', () => DateTime, { description: 'All since then were looked at.' })
  since!: Date;

  @Exposed('INTERNAL', () => Boolean, {
    description:
      'These are the last thirty days. Where false, there was more than is looked at, and the numbers are the least that there are.',
  })
  isComplete!: boolean;

  @Exposed('INTERNAL', () => Int)
  examined!: number;

  @Exposed('INTERNAL', () => Int)
  changed!: number;

  @Exposed('INTERNAL', () => Int, { description: 'Of those changed, how many would have shown more of some field.' })
  showingMore!: number;

  @Exposed('INTERNAL', () => Int, { description: 'Of those changed, how many would have shown less of some field.' })
  showingLess!: number;
}

@ObjectType({
  simpleResolvers: true,
  description:
    'A policy that was sent, or that was in force, held against the one in force. What was sent isn’t kept, and neither decides anything.',
})
export class PolicyDiff {
  constructor(private readonly compared: Comparison) {}

  @Exposed('INTERNAL', () => String, { description: 'SHA-256 of the policy in force.' })
  get inForce(): string {
    return this.compared.inForce;
  }

  @Exposed('INTERNAL', () => String, { nullable: true, description: 'Of the other one; null where it has problems.' })
  get digest(): string | null {
    return this.compared.digest;
  }

  @Listed({ most: mostProblems })
  @Exposed('INTERNAL', () => [PolicyProblemType], { description: 'The first 100. A gateway wouldn’t start with any.' })
  get problems(): readonly PolicyProblemType[] {
    return this.compared.problems;
  }

  @Exposed('INTERNAL', () => Int)
  get problemCount(): number {
    return this.compared.problemCount;
  }

  @Listed({ most: mostChanges })
  @Exposed('INTERNAL', () => [PolicyChangeType], { description: 'The first 1,000; none where both mean the same.' })
  get changes(): readonly PolicyChangeType[] {
    return this.compared.changes.map((change) => new PolicyChangeType(change));
  }

  @Exposed('INTERNAL', () => Int)
  get changeCount(): number {
    return this.compared.changeCount;
  }

  @Exposed('INTERNAL', () => Int, {
    description:
      'Fields that the graph has today and hadn’t when the other one was in force, or the other way round: nothing is told of them. None of a file.',
  })
  get onlyOneNames(): number {
    return this.compared.onlyOneNames;
  }

  @Exposed('INTERNAL', () => AffectedDisclosuresType, { nullable: true })
  get disclosures(): AffectedDisclosuresType | null {
    return this.compared.disclosures;
  }
}
