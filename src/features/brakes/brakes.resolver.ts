import { Arg, Ctx, ID, Int, Mutation, Query, Resolver } from 'type-graphql';
import { Classified } from '../../graphql/decorators';
import { Guarded, open } from '../../graphql/guarded';
import { withSecondFactor } from '../audit/audit.policy';
import type { RequestContext } from '../request';
import { BrakeConnection, BrakeType } from './brake.type';

@Resolver()
export class BrakesResolver {
  @Query(() => BrakeConnection, { description: 'What rules stopped members of staff and services in, newest first.' })
  @Classified('INTERNAL')
  // Whoever the policy file names reads all of them.
  @Guarded(withSecondFactor)
  brakes(
    @Arg('first', () => Int, { nullable: true, defaultValue: 20 }) first: number | null,
    @Arg('after', () => String, { nullable: true }) after: string | undefined,
    @Ctx() { actor, services }: RequestContext,
  ) {
    return services.brakes.page(actor, { first, after });
  }

  @Mutation(() => BrakeType, {
    description: 'Asks for the release of a brake, or, as the second of two people, releases it.',
  })
  @Classified('INTERNAL')
  // The action has a rule of its own, asked in the change.
  @Guarded(open)
  async releaseBrake(
    @Arg('id', () => ID) id: string,
    @Arg('reason', () => String, { description: '10 to 1,000 characters. No card data. Stored sealed.' }) reason: string,
    @Ctx() { actor, services }: RequestContext,
  ): Promise<BrakeType> {
    return services.brakes.release(actor, id, reason);
  }
}
