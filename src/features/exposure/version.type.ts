import { ID, ObjectType } from 'type-graphql';
import { connectionOf } from '../../graphql/connection';
import { Exposed } from '../../graphql/decorators';
import { DateTime, SafeInt } from '../../graphql/scalars';

@ObjectType('PolicyVersion', {
  simpleResolvers: true,
  description:
    'A policy that was in force, with the event that says so. What it means is kept, and nothing here puts it into force again.',
})
export class PolicyVersionType {
  @Exposed('INTERNAL', () => ID, { description: 'SHA-256 of what it means, as “counterfoil policy check” prints it.' })
  digest!: string;

  @Exposed('INTERNAL', () => DateTime, { description: 'When it first came into force, or since when its text is kept.' })
  keptAt!: Date;

  @Exposed('INTERNAL', () => Boolean, { description: 'By the gateway that answers.' })
  isInForce!: boolean;

  @Exposed('INTERNAL', () => ID)
  eventId!: string;

  @Exposed('INTERNAL', () => SafeInt, { nullable: true, description: 'Null while the event waits for its place.' })
  leafIndex!: number | null;
}

export const PolicyVersionConnection = connectionOf('PolicyVersion', () => PolicyVersionType);
