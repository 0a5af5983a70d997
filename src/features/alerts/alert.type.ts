import { Field, ID, InputType, Int, ObjectType, registerEnumType } from 'type-graphql';
import type { LinkAssurance } from '../../authz/actor';
import { type Reached, reachedBy } from '../../db/reached';
import { connectionOf } from '../../graphql/connection';
import { Exposed, FiltersBy } from '../../graphql/decorators';
import { enumOf } from '../../graphql/enum-of';
import { Guarded } from '../../graphql/guarded';
import { Listed } from '../../graphql/listed';
import { DateTime } from '../../graphql/scalars';
import type { Shown, ShownObject } from '../../graphql/shown';
import type { KeyedRow, Keys } from '../keys/keys.service';
import { riskAlerts, type StoredReason } from './alert.entity';
import { alertIsAssisted, type ShownAlert } from './alert.policy';
import type { AlertRow } from './alert.rows';
import {
  type AlertResolution,
  type AlertRule,
  alertResolutions,
  alertRules,
  alertSeverities,
  alertStates,
  derivedFrom,
  type Guidance,
  type GuidanceCode,
  guidanceCodes,
  guidedBy,
  mostCountries,
  type ReasonCode,
  reasonCodes,
  reasonKind,
} from './alert.words';

/** In files, tables and events rules are called `card-testing`, in the graph CARD_TESTING. */
export const RiskRuleNameEnum = Object.fromEntries(alertRules.map((name) => [name.toUpperCase().replaceAll('-', '_'), name]));
export const AlertSeverityEnum = enumOf(alertSeverities);
export const AlertStateEnum = enumOf(alertStates);
export const AlertResolutionEnum = enumOf(alertResolutions);
export const AlertReasonCodeEnum = enumOf(reasonCodes);
export const GuidanceCodeEnum = enumOf(guidanceCodes);
registerEnumType(RiskRuleNameEnum, {
  name: 'RiskRuleName',
  description: 'What raises alerts: a rule that reads signals, or a member of staff (CONCERN).',
});
registerEnumType(AlertSeverityEnum, { name: 'AlertSeverity' });
registerEnumType(AlertStateEnum, {
  name: 'AlertState',
  valuesConfig: {
    OPEN: { description: 'Nobody has said what it was.' },
    RESOLVED: { description: 'Somebody has.' },
    EXPIRED: { description: 'Nobody had within a week of the last that was known of it.' },
  },
});
registerEnumType(AlertResolutionEnum, {
  name: 'AlertResolution',
  valuesConfig: {
    TRUE: { description: 'It was what the rule looks for.' },
    FALSE: { description: 'It was something else.' },
    UNSURE: { description: 'Nobody can tell.' },
  },
});
registerEnumType(AlertReasonCodeEnum, { name: 'AlertReasonCode' });
registerEnumType(GuidanceCodeEnum, { name: 'GuidanceCode' });

/** An alert as its parts are shown under it. */
interface WholeAlert extends Shown, ShownAlert {
  readonly customerId: Reached;
  /** What it is sealed with. */
  readonly key: KeyedRow;
}

/** A part of an alert: shown, and recorded, as part of it. */
abstract class OfAlert implements Shown {
  constructor(readonly alert: WholeAlert) {}

  get shown(): ShownObject {
    return this.alert.shown;
  }

  get linkAssurance(): LinkAssurance {
    return this.alert.linkAssurance;
  }
}

@ObjectType('AlertReason', {
  simpleResolvers: true,
  description:
    'A fact that an alert rests on. One that is derived from a field that you may not read of this customer isn’t there.',
})
export class AlertReason extends OfAlert {
  constructor(
    alert: WholeAlert,
    private readonly reason: StoredReason,
  ) {
    super(alert);
  }

  get transactionId(): string | null {
    return this.reason.transactionId;
  }

  @Exposed('PAYMENT', () => AlertReasonCodeEnum, { from: derivedFrom })
  get code(): ReasonCode {
    return this.reason.code;
  }

  @Exposed('PAYMENT', () => String, { description: 'The fact as a sentence.', from: derivedFrom })
  get text(): string {
    return reasonKind(this.reason.code).says(this.reason.count ?? 0);
  }

  @Exposed('PAYMENT', () => Int, {
    description:
      'How many. Null where it isn’t a number, or where others would be counted: they are never told of but as "5 or more".',
    from: derivedFrom,
  })
  get count(): number | null {
    return reasonKind(this.reason.code).countsOthers ? null : this.reason.count;
  }

  @Exposed('PAYMENT', () => Int, { description: 'Within so many seconds.', from: derivedFrom })
  get windowSeconds(): number | null {
    return this.reason.windowSeconds;
  }

  @Listed({ most: mostCountries, parts: true })
  @Exposed('PAYMENT', () => [String], { description: 'ISO 3166-1 alpha-2 countries, where it is about some.', from: derivedFrom })
  get countries(): readonly string[] {
    return this.reason.countries;
  }
}

@ObjectType('GuidanceStep', { simpleResolvers: true, description: 'What helps now.' })
export class GuidanceStep extends OfAlert {
  constructor(
    alert: WholeAlert,
    private readonly step: Guidance,
  ) {
    super(alert);
  }

  @Exposed('PAYMENT', () => GuidanceCodeEnum, { from: guidedBy })
  get code(): GuidanceCode {
    return this.step.code;
  }

  @Exposed('PAYMENT', () => String, { from: guidedBy })
  get text(): string {
    return this.step.text;
  }
}

@ObjectType('Alert', {
  simpleResolvers: true,
  description:
    'Something about a customer’s payments that whoever has the ticket should know. What it says is shown under an assistance on that ticket; it opens no right itself.',
})
export class AlertType implements WholeAlert {
  constructor(
    private readonly row: AlertRow,
    private readonly keys: Keys,
  ) {}

  get shown(): ShownObject {
    const { id, ticketId, customerId } = this.row;
    return { type: 'Alert', id, ticketId, customer: this.keys.underDigest(customerId, this.row), underAssistance: true };
  }

  get linkAssurance(): LinkAssurance {
    return this.row.currentLink;
  }

  get ticketId(): string | null {
    return this.row.ticketId;
  }

  get customerId(): Reached {
    return reachedBy(this.row, 'customerId');
  }

  get key(): KeyedRow {
    return this.row;
  }

  /** Whom it is about, by the names that they have on either side. */
  get names(): readonly string[] {
    const { customerId, paymentCustomerId } = this.row;
    return paymentCustomerId === null ? [customerId] : [customerId, paymentCustomerId];
  }

  /** What raised it, whoever may read that. */
  get raisedBy(): AlertRule {
    return this.row.rule;
  }

  /** All of them, whoever may read which. */
  get facts(): readonly StoredReason[] {
    return this.row.reasons;
  }

  @Exposed('INTERNAL', () => ID)
  get id(): string {
    return this.row.id;
  }

  @Exposed('PAYMENT', () => RiskRuleNameEnum, { from: derivedFrom })
  @Guarded(alertIsAssisted)
  get rule(): AlertRule {
    return this.row.rule;
  }

  @Exposed('PAYMENT', () => AlertSeverityEnum, { from: ['Alert.rule'] })
  @Guarded(alertIsAssisted)
  get severity(): string {
    return this.row.severity;
  }

  @Exposed('INTERNAL', () => AlertStateEnum)
  get state(): string {
    return this.row.state;
  }

  @Exposed('PERSONAL', () => String, { description: 'What a member of staff reported, in their words. No card data.' })
  @Guarded(alertIsAssisted)
  get note(): string | null {
    return this.keys.open(riskAlerts, this.row, 'note');
  }

  @Exposed('PAYMENT', () => AlertResolutionEnum, { from: ['Alert.rule'] })
  @Guarded(alertIsAssisted)
  get resolution(): AlertResolution | null {
    return this.row.resolution;
  }

  @Exposed('INTERNAL', () => DateTime)
  get raisedAt(): Date {
    return this.row.raisedAt;
  }

  @Exposed('INTERNAL', () => DateTime, { nullable: true, description: 'Null while it is open.' })
  get endedAt(): Date | null {
    return this.row.endedAt;
  }

  @Exposed('INTERNAL', () => DateTime, { nullable: true, description: 'When it ends by itself; null once it has ended.' })
  get expiresAt(): Date | null {
    return this.row.endedAt === null ? this.row.expiresAt : null;
  }
}

export enum AlertEventKind {
  RAISED = 'RAISED',
  UPDATED = 'UPDATED',
  ENDED = 'ENDED',
  NOTICE = 'NOTICE',
}
registerEnumType(AlertEventKind, {
  name: 'AlertEventKind',
  valuesConfig: {
    RAISED: { description: 'There is an alert that you weren’t told of.' },
    UPDATED: { description: 'More is known of it.' },
    ENDED: { description: 'It is over, or isn’t told to you any more. Nothing more comes of it.' },
    NOTICE: { description: 'There is one, or more is known of it; open its ticket, by which an assistance begins, to read it.' },
  },
});

@ObjectType('AlertEvent', { simpleResolvers: true, description: 'Something that happened to an alert.' })
export class AlertEvent {
  @Exposed('INTERNAL', () => String, {
    description: 'What to go on after: `after` of the next subscription, with the same ticket.',
  })
  cursor!: string;

  @Exposed('INTERNAL', () => AlertEventKind)
  kind!: AlertEventKind;

  @Exposed('INTERNAL', () => ID)
  alertId!: string;

  @Exposed('INTERNAL', () => ID, { nullable: true })
  ticketId!: string | null;

  @Exposed('INTERNAL', () => AlertType, {
    nullable: true,
    description: 'As it is now, under a live assistance where it is told; null without one, and once it is over.',
  })
  alert!: AlertType | null;
}

export const AlertConnection = connectionOf('Alert', () => AlertType);

@InputType('AlertFilter')
export class AlertFilterInput {
  @Field(() => [AlertStateEnum], { nullable: true })
  @FiltersBy('Alert.state')
  state?: string[] | null;

  @Field(() => ID, { nullable: true })
  @FiltersBy('Alert.ticket')
  ticketId?: string | null;
}
export type AlertFilter = AlertFilterInput;

@InputType('ReportConcernInput')
export class ReportConcernInput {
  @Field(() => ID)
  ticketId!: string;

  @Field(() => String, { description: '10 to 1,000 characters. No card data.' })
  note!: string;
}

@InputType('ResolveAlertInput')
export class ResolveAlertInput {
  @Field(() => ID)
  id!: string;

  @Field(() => AlertResolutionEnum)
  resolution!: AlertResolution;

  @Field(() => DateTime, {
    nullable: true,
    description:
      'Until then the same rule raises nothing about this customer: within 30 days. Not for what was TRUE, nor for a concern.',
  })
  snoozeUntil?: Date | null;
}
