import { Arg, Ctx, FieldResolver, ID, Int, Mutation, Query, Resolver, Root, Subscription } from 'type-graphql';
import { reachedBy } from '../../db/reached';
import { ProgrammingError } from '../../failure';
import { Classified } from '../../graphql/decorators';
import { Guarded, open } from '../../graphql/guarded';
import { Listed } from '../../graphql/listed';
import { CustomerType } from '../customers/customer.type';
import { TransactionType } from '../payments/payment.type';
import { isPending } from '../payments/pending';
import type { RequestContext } from '../request';
import { TicketType } from '../tickets/ticket.type';
import { alertIsAssisted, partIsAssisted, toWhoHasSecondFactor } from './alert.policy';
import {
  AlertConnection,
  AlertEvent,
  AlertEventKind,
  type AlertFilter,
  AlertFilterInput,
  AlertReason,
  AlertType,
  GuidanceStep,
  ReportConcernInput,
  ResolveAlertInput,
} from './alert.type';
import {
  derivedFrom,
  guidanceFor,
  guidedBy,
  guidedByPayments,
  latestAdvice,
  mostReasons,
  mostSteps,
  reasonKind,
} from './alert.words';
import { AlertNews } from './alert-stream';
import { newestOfTicket } from './alerts.service';

@Resolver(() => AlertType)
export class AlertsResolver {
  @Query(() => AlertConnection, {
    description: 'Alerts on the tickets that you have, and where you assist, newest first. A list begins no assistance.',
  })
  @Classified('INTERNAL')
  // Narrowed in SQL to what is told to the actor.
  @Guarded(toWhoHasSecondFactor)
  alerts(
    @Arg('filter', () => AlertFilterInput, { nullable: true }) filter: AlertFilter | undefined,
    @Arg('first', () => Int, { nullable: true, defaultValue: 20 }) first: number | null,
    @Arg('after', () => String, { nullable: true }) after: string | undefined,
    @Ctx() { actor, services, loaders }: RequestContext,
  ) {
    return services.alerts.page(actor, { filter, first, after }, loaders.alerts.toType);
  }

  @Mutation(() => AlertType, {
    description: 'Reports what you noticed on a ticket that you have. Repeated, it returns the one of yours that is open.',
  })
  @Classified('INTERNAL')
  // The action has a rule of its own, asked in the change.
  @Guarded(open)
  async reportConcern(
    @Arg('input', () => ReportConcernInput) input: ReportConcernInput,
    @Ctx() { actor, services, loaders }: RequestContext,
  ): Promise<AlertType> {
    const ticket = await services.tickets.inScope(actor, input.ticketId, (stored) =>
      services.alerts.expectMayReport(stored, input),
    );
    return loaders.alerts.toType(await services.alerts.reachable(actor, await services.alerts.report(ticket, input)));
  }

  @Mutation(() => AlertType, {
    description:
      'Says what an alert was. Repeated with the same word, it changes nothing. Whoever reported it, or whom it is about, can’t.',
  })
  @Classified('INTERNAL')
  // The action has a rule of its own, asked in the change.
  @Guarded(open)
  async resolveAlert(
    @Arg('input', () => ResolveAlertInput) input: ResolveAlertInput,
    @Ctx() { actor, services, loaders }: RequestContext,
  ): Promise<AlertType> {
    return loaders.alerts.toType(await services.alerts.reachable(actor, await services.alerts.resolve(actor, input)));
  }

  @FieldResolver(() => TicketType, { nullable: true, description: 'On which it is told. Reading it here opens no ticket.' })
  @Classified('INTERNAL')
  @Guarded(open)
  ticket(@Root() alert: AlertType, @Ctx() { loaders }: RequestContext): Promise<TicketType | null> | null {
    return alert.ticketId === null ? null : loaders.credentials.ticket(alert.ticketId);
  }

  @FieldResolver(() => CustomerType, { nullable: true })
  @Classified('PERSONAL')
  @Guarded(alertIsAssisted)
  customer(@Root() alert: AlertType, @Ctx() { loaders }: RequestContext): Promise<CustomerType | null> {
    return loaders.customers.load(alert.customerId, alert.key);
  }

  @FieldResolver(() => [AlertReason], { nullable: true, description: 'The facts that it rests on.' })
  @Listed({ most: mostReasons })
  @Classified('PAYMENT', { from: derivedFrom })
  @Guarded(alertIsAssisted)
  reasons(@Root() alert: AlertType, @Ctx() { access }: RequestContext): readonly AlertReason[] {
    return alert.facts
      .filter(({ code }) => {
        const { from, inClear } = reasonKind(code);
        return inClear ? access.reveals(from, alert.linkAssurance) : access.shows(from, alert);
      })
      .map((reason) => new AlertReason(alert, reason));
  }

  @FieldResolver(() => [GuidanceStep], {
    nullable: true,
    description:
      'What helps with the ticket now, in this order. A step that is derived from a field that you may not read of this customer isn’t there.',
  })
  @Listed({ most: mostSteps })
  @Classified('PAYMENT', { from: guidedBy })
  @Guarded(alertIsAssisted)
  async guidance(@Root() alert: AlertType, @Ctx() { access, loaders }: RequestContext): Promise<readonly GuidanceStep[]> {
    const payments = access.shows(['Transaction.status'], alert) ? await paymentsOf(alert, loaders) : [];
    const steps = guidanceFor(alert.raisedBy, {
      isDemanded: await loaders.alerts.isDemanded(alert),
      isInvited: await loaders.alerts.isInvited(alert),
      advice: access.shows(guidedByPayments.advice, alert) ? latestAdvice(payments) : null,
      isAskable: alert.linkAssurance === 'VERIFIED' && access.shows(guidedByPayments.pending, alert) && payments.some(isPending),
    });
    return steps.map((step) => new GuidanceStep(alert, step));
  }
}

/** The payments that an alert names and that are its customer's, as they are now; nothing is read where it names none. */
const paymentsOf = async (alert: AlertType, { customers, payments }: RequestContext['loaders']) => {
  const named = new Map(
    alert.facts.filter(({ transactionId }) => transactionId !== null).map((fact) => [fact.transactionId, fact]),
  );
  const customer = named.size === 0 ? null : await customers.load(alert.customerId, alert.key);
  if (!customer) return [];
  const found = await Promise.all(
    [...named.values()].map((fact) => payments.transactionOf(customer, reachedBy(fact, 'transactionId'))),
  );
  return found.flatMap((payment) => payment?.row ?? []);
};

/** It is executed for each event by itself, which the transport gives it as its root: there is nothing that subscribes within the graph. */
const notHere = (): never => {
  throw new ProgrammingError('A subscription is executed for each event by itself.');
};

@Resolver(() => AlertEvent)
export class AlertEventsResolver {
  @Subscription(() => AlertEvent, {
    subscribe: notHere,
    description:
      'What happens from now on to alerts on the tickets that you have, and where you assist; or, of one ticket alone. `after` goes on behind an event’s cursor.',
  })
  @Classified('INTERNAL')
  @Guarded(toWhoHasSecondFactor)
  async alerts(
    @Arg('ticketId', () => ID, { nullable: true }) _ticketId: string | undefined,
    @Arg('after', () => String, { nullable: true }) _after: string | undefined,
    @Root() news: AlertNews,
    @Ctx() { actor, access, services, loaders }: RequestContext,
  ): Promise<AlertEvent> {
    const { kind, cursor, alertId, ticketId } = news;
    const event = { cursor, kind: AlertEventKind[kind], alertId, ticketId, alert: null };
    if (kind === 'ENDED') return event;
    const alert = loaders.alerts.toType(await services.alerts.reachable(actor, alertId));
    return alertIsAssisted({ actor, access }, alert) === null ? { ...event, alert } : { ...event, kind: AlertEventKind.NOTICE };
  }
}

@Resolver(() => TicketType)
export class TicketAlertsResolver {
  @FieldResolver(() => [AlertType], {
    nullable: true,
    description: 'Open ones that are told to you on it, newest first: ten at most; `Query.alerts` has them all.',
  })
  @Listed({ most: newestOfTicket })
  @Classified('INTERNAL')
  // Narrowed in SQL to what is told to the actor.
  @Guarded(toWhoHasSecondFactor)
  alerts(@Root() ticket: TicketType, @Ctx() { loaders }: RequestContext): Promise<readonly AlertType[]> {
    return loaders.alerts.ofTicket(ticket.id);
  }
}

@Resolver(() => AlertReason)
export class AlertReasonResolver {
  @FieldResolver(() => TransactionType, { nullable: true, description: 'The payment that it is about, where it is about one.' })
  @Classified('PAYMENT')
  @Guarded(partIsAssisted)
  async transaction(@Root() reason: AlertReason, @Ctx() { loaders }: RequestContext): Promise<TransactionType | null> {
    const customer = await loaders.customers.load(reason.alert.customerId, reason.alert.key);
    return customer && loaders.payments.transactionOf(customer, reachedBy(reason, 'transactionId'));
  }
}
