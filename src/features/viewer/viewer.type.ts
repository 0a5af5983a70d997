import { ID, ObjectType, registerEnumType } from 'type-graphql';
import { type Role, roles, type SignedInActor } from '../../authz/actor';
import { mostValues } from '../../authz/identity/claim-path';
import { Exposed } from '../../graphql/decorators';
import { enumOf } from '../../graphql/enum-of';
import { Listed } from '../../graphql/listed';
import { DateTime } from '../../graphql/scalars';

export const RoleEnum = enumOf(roles);
registerEnumType(RoleEnum, { name: 'Role' });

@ObjectType({ simpleResolvers: true, description: 'Who asks, as the identity provider and the helpdesk know them.' })
export class Viewer {
  constructor(private readonly actor: SignedInActor) {}

  @Exposed('PUBLIC', () => ID)
  get id(): string {
    return this.actor.id;
  }

  @Listed({ most: roles.length, parts: true })
  @Exposed('PUBLIC', () => [RoleEnum])
  get roles(): readonly Role[] {
    return this.actor.roles;
  }

  @Listed({ most: mostValues, parts: true })
  @Exposed('PUBLIC', () => [String])
  get teams(): readonly string[] {
    return this.actor.teams;
  }

  @Exposed('PUBLIC', () => Boolean, { description: 'The session was opened with a second factor.' })
  get mfa(): boolean {
    return this.actor.mfa;
  }

  @Exposed('PUBLIC', () => Boolean, { description: 'A helpdesk source has this person among its staff.' })
  get knownToHelpdesk(): boolean {
    return this.actor.staffIds.length > 0;
  }

  @Exposed('PUBLIC', () => DateTime)
  get expiresAt(): Date {
    return this.actor.expiresAt;
  }
}
