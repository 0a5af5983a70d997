import { ID, ObjectType, registerEnumType } from 'type-graphql';
import type { LinkAssurance } from '../../authz/actor';
import { connectionOf } from '../../graphql/connection';
import { Exposed } from '../../graphql/decorators';
import { enumOf } from '../../graphql/enum-of';
import { DateTime } from '../../graphql/scalars';
import type { Shown, ShownObject } from '../../graphql/shown';
import { type BrakeLevel, brakeLevels } from '../actors/actor.entity';
import type { Keys } from '../keys/keys.service';
import { type BrakeState, brakeStates, brakes } from './brake.entity';
import type { BrakeRow } from './brakes.rows';

const BrakeLevelEnum = enumOf(brakeLevels);
const BrakeStateEnum = enumOf(brakeStates);
registerEnumType(BrakeLevelEnum, {
  name: 'BrakeLevel',
  description:
    'What is stopped: ASSISTANCES, no new customers; READS, nothing that is policed is shown and nothing changed; SESSION, their tokens are refused too.',
});
registerEnumType(BrakeStateEnum, {
  name: 'BrakeState',
  description: 'ACTIVE; PROPOSED, one of two people asked for its release and it still stops; RELEASED.',
});

@ObjectType('Brake', {
  simpleResolvers: true,
  description: 'What a rule stopped a member of staff or a service in, until two others release it.',
})
export class BrakeType implements Shown {
  constructor(
    private readonly row: BrakeRow,
    private readonly keys: Keys,
  ) {}

  get shown(): ShownObject {
    return { type: 'Brake', id: this.row.id, ticketId: null, customer: null, underAssistance: false };
  }

  get linkAssurance(): LinkAssurance {
    return 'NONE';
  }

  @Exposed('INTERNAL', () => ID)
  get id(): string {
    return this.row.id;
  }

  @Exposed('INTERNAL', () => ID, { description: 'Whom it stops, under our own id for them.' })
  get actorId(): string {
    return this.row.actorId;
  }

  @Exposed('INTERNAL', () => BrakeLevelEnum)
  get level(): BrakeLevel {
    return this.row.level;
  }

  @Exposed('INTERNAL', () => String, { description: 'The rule that asked for it, as the rules’ file names it.' })
  get rule(): string {
    return this.row.rule;
  }

  @Exposed('INTERNAL', () => BrakeStateEnum)
  get state(): BrakeState {
    return this.row.state;
  }

  @Exposed('INTERNAL', () => DateTime)
  get placedAt(): Date {
    return this.row.placedAt;
  }

  @Exposed('INTERNAL', () => ID, { nullable: true, description: 'The first of the two who release it.' })
  get proposedBy(): string | null {
    return this.row.proposedById;
  }

  @Exposed('INTERNAL', () => DateTime, { nullable: true })
  get proposedAt(): Date | null {
    return this.row.proposedAt;
  }

  @Exposed('PERSONAL', () => String, { description: 'Why the first of them asked for its release.' })
  get proposalReason(): string | null {
    return this.keys.open(brakes, this.keyed, 'proposalReason');
  }

  @Exposed('INTERNAL', () => ID, { nullable: true, description: 'The second of the two who released it.' })
  get releasedBy(): string | null {
    return this.row.releasedById;
  }

  @Exposed('INTERNAL', () => DateTime, { nullable: true })
  get releasedAt(): Date | null {
    return this.row.releasedAt;
  }

  @Exposed('PERSONAL', () => String, { description: 'Why the second of them released it.' })
  get releaseReason(): string | null {
    return this.keys.open(brakes, this.keyed, 'releaseReason');
  }

  /** Who never proposed nor was released has no key: then there is no reason either. */
  private get keyed() {
    const { keyId, keyOwner, ...row } = this.row;
    return { ...row, keyId: keyId ?? '', keyOwner: keyOwner ?? '' };
  }
}

export const BrakeConnection = connectionOf('Brake', () => BrakeType);
