import { Int, ObjectType, registerEnumType } from 'type-graphql';
import { Exposed } from '../../graphql/decorators';
import { enumOf } from '../../graphql/enum-of';
import { DateTime } from '../../graphql/scalars';
import type { LinkingCount } from '../customers/linking';
import type { SourceHealth } from './registry';
import type { SweepProgress } from './sweep';

const SourceSideEnum = enumOf(['HELPDESK', 'PAYMENTS']);
registerEnumType(SourceSideEnum, { name: 'SourceSide' });
const SourceStandingEnum = enumOf(['OK', 'BEHIND', 'FAULT']);
registerEnumType(SourceStandingEnum, {
  name: 'SourceStanding',
  description:
    'OK: read to its end within two minutes; BEHIND: not, or never yet; FAULT: the last reading failed, see `SourceReport.fault`.',
});

interface Reported {
  readonly health: SourceHealth;
  readonly standing: 'ok' | 'behind' | 'fault';
  readonly texts: SweepProgress | null;
  readonly unlinked: LinkingCount | null;
  readonly webhooksPending: number;
  readonly webhooksUnknown: number;
}

@ObjectType({
  simpleResolvers: true,
  description: 'How a configured source is doing, by what is stored: it isn’t asked for this.',
})
export class SourceReport {
  constructor(private readonly reported: Reported) {}

  @Exposed('INTERNAL', () => String, { description: 'As the configuration names it.' })
  get name(): string {
    return this.reported.health.name;
  }

  @Exposed('INTERNAL', () => SourceSideEnum)
  get side(): string {
    return this.reported.health.side.toUpperCase();
  }

  @Exposed('INTERNAL', () => String, { description: 'Its connector: rt, stripe, demo.' })
  get kind(): string {
    return this.reported.health.kind;
  }

  @Exposed('INTERNAL', () => SourceStandingEnum)
  get standing(): string {
    return this.reported.standing.toUpperCase();
  }

  @Exposed('INTERNAL', () => String, {
    nullable: true,
    description:
      'What the last reading failed with: timeout, circuit-open (it failed so often that it isn’t asked for a while), overloaded, refused, fault, unauthorized, rate-limited, malformed, internal.',
  })
  get fault(): string | null {
    return this.reported.health.fault;
  }

  @Exposed('INTERNAL', () => DateTime, {
    nullable: true,
    description: 'Everything that it had then has been read; null before the first time.',
  })
  get readUntil(): Date | null {
    return this.reported.health.polledAt;
  }

  @Exposed('INTERNAL', () => DateTime, {
    nullable: true,
    description: 'When what it had at first was read; null until then; of helpdesks only.',
  })
  get backfilledAt(): Date | null {
    return this.reported.health.backfilledAt;
  }

  @Exposed('INTERNAL', () => Int, { nullable: true, description: 'Customers whose link isn’t decided yet; of helpdesks only.' })
  get customersWaiting(): number | null {
    return this.reported.unlinked?.waiting ?? null;
  }

  @Exposed('INTERNAL', () => Int, {
    nullable: true,
    description: 'Of those, how many were set aside after a fault and are tried again later.',
  })
  get customersSetAside(): number | null {
    return this.reported.unlinked?.setAside ?? null;
  }

  @Exposed('INTERNAL', () => Int, {
    nullable: true,
    description: 'Tickets whose texts weren’t held against the helpdesk for longer than is promised; of helpdesks only.',
  })
  get textsLate(): number | null {
    return this.reported.texts?.late ?? null;
  }

  @Exposed('INTERNAL', () => Int, { description: 'Messages of its that were accepted and aren’t done with.' })
  get webhooksPending(): number {
    return this.reported.webhooksPending;
  }

  @Exposed('INTERNAL', () => Int, { description: 'Messages of its that this version doesn’t understand.' })
  get webhooksUnknown(): number {
    return this.reported.webhooksUnknown;
  }
}
