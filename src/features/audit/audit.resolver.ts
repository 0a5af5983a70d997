import { Arg, Ctx, ID, Int, Query, Resolver } from 'type-graphql';
import { Classified } from '../../graphql/decorators';
import { Guarded, open } from '../../graphql/guarded';
import { Listed } from '../../graphql/listed';
import { DateTime, SafeInt } from '../../graphql/scalars';
import type { RequestContext } from '../request';
import { mostCounts, mostTrailSteps } from './audit.bounds';
import { withSecondFactor } from './audit.policy';
import {
  AuditCheckpointType,
  AuditConsistencyProof,
  AuditCount,
  AuditEventFilter,
  AuditInclusionProof,
  PolicyInForce,
} from './audit.type';
import { AuditEventConnection } from './audit-event-connection';
import { Examination } from './examination.type';
import { AuditReport } from './report.type';
import { DecisionStepType } from './trail.type';

@Resolver()
export class AuditResolver {
  @Query(() => AuditEventConnection, {
    description:
      'The log in its own order, oldest first: everything for an auditor, your own doings otherwise. What is a second old may not be in it yet.',
  })
  @Classified('INTERNAL')
  // Narrowed in SQL to the actor's scope.
  @Guarded(withSecondFactor)
  auditEvents(
    @Arg('filter', () => AuditEventFilter, { nullable: true }) filter: AuditEventFilter | undefined,
    @Arg('first', () => Int, { nullable: true, defaultValue: 50 }) first: number | null,
    @Arg('after', () => String, { nullable: true }) after: string | undefined,
    @Ctx() { actor, access, services }: RequestContext,
  ) {
    return services.auditLog.events(actor, access, { filter, first, after });
  }

  @Query(() => AuditEventConnection, {
    description:
      'Who was shown what about a customer, and when, oldest first: by our own id, or of whom a ticket is about, by the helpdesk’s name and number of it. Times are half-open.',
  })
  @Classified('INTERNAL')
  // Whoever the policy file names reads this of everybody.
  @Guarded(withSecondFactor)
  disclosures(
    @Arg('customerId', () => ID, { nullable: true }) customerId: string | null | undefined,
    @Arg('source', () => String, { nullable: true }) source: string | null | undefined,
    @Arg('reference', () => String, { nullable: true }) reference: string | null | undefined,
    @Arg('from', () => DateTime, { nullable: true }) from: Date | undefined,
    @Arg('before', () => DateTime, { nullable: true }) before: Date | undefined,
    @Arg('first', () => Int, { nullable: true, defaultValue: 50 }) first: number | null,
    @Arg('after', () => String, { nullable: true }) after: string | undefined,
    @Ctx() { actor, access, services }: RequestContext,
  ) {
    return services.auditLog.disclosures(actor, access, { customerId, source, reference, from, before }, first, after);
  }

  @Query(() => [AuditCount], {
    description: 'How often each actor did what, most often first: the first 1,000; a year at most, half-open.',
  })
  @Listed({ most: mostCounts })
  @Classified('INTERNAL')
  // Whoever the policy file names reads this of everybody.
  @Guarded(withSecondFactor)
  auditCounts(
    @Arg('from', () => DateTime) from: Date,
    @Arg('before', () => DateTime) before: Date,
    @Ctx() { access, services }: RequestContext,
  ): Promise<readonly AuditCount[]> {
    return services.auditLog.counts(access, from, before);
  }

  @Query(() => AuditReport, {
    description:
      'What was revealed, masked and denied, by roles, field and purpose, in a span of 32 days at most, half-open: what `counterfoil audit report` prints.',
  })
  @Classified('INTERNAL')
  // Whoever the policy file names reads this of everybody.
  @Guarded(withSecondFactor)
  auditReport(
    @Arg('from', () => DateTime) from: Date,
    @Arg('before', () => DateTime) before: Date,
    @Ctx() { access, services }: RequestContext,
  ): Promise<AuditReport> {
    return services.auditReports.of(access, from, before);
  }

  @Query(() => [DecisionStepType], {
    description:
      'What led to what about a customer’s payments, oldest first: of the customer of a ticket or of a payment, one of both. The newest 500 steps; who reads is on record.',
  })
  @Listed({ most: mostTrailSteps })
  @Classified('INTERNAL')
  // Whoever the policy file names reads this of everybody.
  @Guarded(withSecondFactor)
  decisionTrail(
    @Arg('ticketId', () => ID, { nullable: true }) ticketId: string | null | undefined,
    @Arg('transactionId', () => ID, { nullable: true }) transactionId: string | null | undefined,
    @Ctx() { access, services }: RequestContext,
  ): Promise<readonly DecisionStepType[]> {
    return services.decisionTrails.of(access, { ticketId: ticketId ?? undefined, transactionId: transactionId ?? undefined });
  }

  @Query(() => PolicyInForce, { nullable: true, description: 'The exposure policy that was in force at a time.' })
  @Classified('INTERNAL')
  // Whoever the policy file names reads this of everybody.
  @Guarded(withSecondFactor)
  policyInForce(@Arg('at', () => DateTime) at: Date, @Ctx() { services }: RequestContext): Promise<PolicyInForce> {
    return services.auditLog.policyAt(at);
  }

  @Query(() => Examination, {
    nullable: true,
    description:
      'What “counterfoil doctor --record” found last, counted by area; null before the first. What it found in words stands where it ran: nothing here runs it.',
  })
  @Classified('INTERNAL')
  // Whoever the policy file names reads this.
  @Guarded(withSecondFactor)
  lastExamination(@Ctx() { services }: RequestContext): Promise<Examination | null> {
    return services.examinations.last();
  }

  @Query(() => AuditCheckpointType, { nullable: true, description: 'The latest signed tree head, and what anchors have.' })
  @Classified('INTERNAL')
  // Signed to be shown to anybody: it says how many events there are, and nothing of any.
  @Guarded(open)
  auditCheckpoint(@Ctx() { services }: RequestContext): Promise<AuditCheckpointType | null> {
    return services.auditLog.checkpoint();
  }

  @Query(() => AuditInclusionProof, {
    nullable: true,
    description: 'Proves that an event is in the tree: of the latest checkpoint, or of the size that is named.',
  })
  @Classified('INTERNAL')
  // Narrowed in SQL to the actor's scope.
  @Guarded(withSecondFactor)
  auditInclusionProof(
    @Arg('eventId', () => ID) eventId: string,
    @Arg('treeSize', () => SafeInt, { nullable: true }) treeSize: number | undefined,
    @Ctx() { actor, services }: RequestContext,
  ): Promise<AuditInclusionProof> {
    return services.auditLog.inclusion(actor, eventId, treeSize);
  }

  @Query(() => AuditConsistencyProof, {
    nullable: true,
    description:
      'Proves that the tree of one size continues the tree of an earlier one: nothing was changed, dropped or put between.',
  })
  @Classified('INTERNAL')
  // Signed to be shown to anybody: it says how many events there are, and nothing of any.
  @Guarded(open)
  auditConsistencyProof(
    @Arg('from', () => SafeInt) from: number,
    @Arg('to', () => SafeInt) to: number,
    @Ctx() { services }: RequestContext,
  ): Promise<AuditConsistencyProof> {
    return services.auditLog.consistency(from, to);
  }
}
