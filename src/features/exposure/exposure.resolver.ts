import { Arg, Ctx, ID, Query, Resolver } from 'type-graphql';
import type { Role } from '../../authz/actor';
import { explain } from '../../authz/policy/explain';
import { Failure } from '../../failure';
import { Classified } from '../../graphql/decorators';
import { Guarded, open } from '../../graphql/guarded';
import { Listed } from '../../graphql/listed';
import type { RequestContext } from '../request';
import { RoleEnum } from '../viewer/viewer.type';
import { AccessDecision, FieldExposure } from './exposure.type';

@Resolver()
export class ExposureResolver {
  @Listed({ most: 600 })
  @Query(() => [FieldExposure], { description: 'The policy in force, field by field; of one type where named.' })
  @Classified('INTERNAL')
  // Who may ask at all is in the policy file.
  @Guarded(open)
  exposure(
    @Arg('type', () => String, { nullable: true }) type: string | undefined,
    @Ctx() { services }: RequestContext,
  ): readonly FieldExposure[] {
    const { policy } = services;
    return [...policy.classification.fields.values()]
      .filter((field) => type === undefined || field.typeName === type)
      .map((field) => new FieldExposure(policy, field.coordinate, field.class));
  }

  @Query(() => AccessDecision, {
    description:
      'Whether and why a role sees a field; with a ticket on which you assist, under that ticket’s link. A ticket outside your scope is NOT_FOUND.',
  })
  @Classified('INTERNAL')
  // Who may ask at all is in the policy file.
  @Guarded(open)
  async explainAccess(
    @Arg('field', () => String) field: string,
    @Arg('role', () => RoleEnum, { nullable: true }) role: Role | undefined,
    @Arg('ticketId', () => ID, { nullable: true }) ticketId: string | undefined,
    @Ctx() { actor, access, loaders, services }: RequestContext,
  ): Promise<AccessDecision> {
    if (!services.policy.classification.fields.has(field))
      throw Failure.invalid('field', 'expected a field of the graph as Type.field');
    const asked = {
      role: role ?? 'AGENT',
      assurance:
        ticketId === undefined
          ? ('VERIFIED' as const)
          : await services.tickets.linkOf(actor, { access, customers: loaders.customers }, ticketId, 'Query.explainAccess'),
    };
    return new AccessDecision(explain(services.policy, field, { roles: [asked.role], mfa: true }, asked.assurance), asked);
  }
}
