import { ID, ObjectType, registerEnumType } from 'type-graphql';
import type { LinkAssurance } from '../../../authz/actor';
import { Exposed } from '../../../graphql/decorators';
import { enumOf } from '../../../graphql/enum-of';
import { DateTime } from '../../../graphql/scalars';
import type { Shown, ShownObject } from '../../../graphql/shown';
import { actorNames, nameIdOf } from '../../actors/actor-name.entity';
import type { Keys } from '../../keys/keys.service';
import type { NamedRow } from './actor-names.rows';

const nameStates = ['KNOWN', 'UNKNOWN', 'PROPOSED', 'ERASED'] as const;
type NameState = (typeof nameStates)[number];

const ActorNameStateEnum = enumOf(nameStates);
registerEnumType(ActorNameStateEnum, {
  name: 'ActorNameState',
  description:
    'KNOWN; UNKNOWN, no token ever said it; PROPOSED, one of two privacy officers asked for its erasure and it is still there; ERASED.',
});

/** As it is shown: with when the proposal of its erasure, and the time for which it has to be kept, are over. */
export interface ShownName {
  readonly row: NamedRow;
  readonly isProposed: boolean;
  readonly erasableFrom: Date | null;
}

@ObjectType('NamedActor', {
  simpleResolvers: true,
  description: 'Somebody whom the log names by our own id, and what they were called when they were first seen.',
})
export class NamedActor implements Shown {
  readonly linkAssurance: LinkAssurance = 'NONE';

  constructor(
    private readonly named: ShownName,
    private readonly keys: Keys,
  ) {}

  get shown(): ShownObject {
    return { type: 'Actor', id: this.id, ticketId: null, customer: null, underAssistance: false };
  }

  @Exposed('INTERNAL', () => ID)
  get id(): string {
    return this.named.row.actorId;
  }

  @Exposed('PERSONAL', () => String, {
    description: 'As the first token said that named them, whatever later ones say; null where it isn’t KNOWN or PROPOSED.',
  })
  get name(): string | null {
    const { row } = this.named;
    if (row.id === null) return null;
    const { actorId, keyId, keyOwner, keyWrapped, nameSealed } = row;
    const keyed = { id: nameIdOf(actorId), keyId: keyId ?? '', keyOwner: keyOwner ?? '', keyWrapped, nameSealed };
    return this.keys.open(actorNames, keyed, 'name');
  }

  @Exposed('INTERNAL', () => ActorNameStateEnum)
  get state(): NameState {
    const { row, isProposed } = this.named;
    if (row.id === null) return 'UNKNOWN';
    if (row.erasedAt !== null) return 'ERASED';
    return isProposed ? 'PROPOSED' : 'KNOWN';
  }

  @Exposed('INTERNAL', () => DateTime, { description: 'When they asked for something here for the first time.' })
  get firstSeenAt(): Date {
    return this.named.row.createdAt;
  }

  @Exposed('INTERNAL', () => DateTime, { nullable: true, description: 'When the name was taken.' })
  get namedAt(): Date | null {
    return this.named.row.seenAt;
  }

  @Exposed('INTERNAL', () => ID, { nullable: true, description: 'The first of the two who have the name erased.' })
  get proposedBy(): string | null {
    return this.named.isProposed || this.state === 'ERASED' ? this.named.row.proposedById : null;
  }

  @Exposed('INTERNAL', () => DateTime, { nullable: true })
  get proposedAt(): Date | null {
    return this.named.isProposed || this.state === 'ERASED' ? this.named.row.proposedAt : null;
  }

  @Exposed('INTERNAL', () => ID, { nullable: true, description: 'The second of the two.' })
  get erasedBy(): string | null {
    return this.named.row.erasedById;
  }

  @Exposed('INTERNAL', () => DateTime, { nullable: true })
  get erasedAt(): Date | null {
    return this.named.row.erasedAt;
  }

  @Exposed('INTERNAL', () => DateTime, {
    nullable: true,
    description:
      'Until then the name is kept, since the log has events of theirs: the last one, and audit.namesKeptDays after it.',
  })
  get erasableFrom(): Date | null {
    return this.named.erasableFrom;
  }
}
