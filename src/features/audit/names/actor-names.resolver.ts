import { Arg, Ctx, ID, Mutation, Query, Resolver } from 'type-graphql';
import { Classified } from '../../../graphql/decorators';
import { Guarded, open } from '../../../graphql/guarded';
import { Listed } from '../../../graphql/listed';
import type { RequestContext } from '../../request';
import { withSecondFactor } from '../audit.policy';
import { NamedActor } from './actor-name.type';
import { mostNames } from './actor-names.bounds';

@Resolver()
export class ActorNamesResolver {
  @Query(() => [NamedActor], {
    description:
      'What those are called whom the log names by these ids: 50 at most; ids that nobody has are left out. Each look-up is an event.',
  })
  @Listed({ most: mostNames })
  @Classified('INTERNAL')
  // Whoever the policy file names looks up everybody.
  @Guarded(withSecondFactor)
  auditActors(
    @Arg('ids', () => [ID]) ids: string[],
    @Ctx() { access, services }: RequestContext,
  ): Promise<readonly NamedActor[]> {
    return services.actorNames.lookUp(access, ids);
  }

  @Mutation(() => NamedActor, {
    description:
      'Asks that the kept name of an actor be erased, or, as the second of two privacy officers within seven days, erases it: once the time for which it is kept is over.',
  })
  @Classified('INTERNAL')
  // The action has a rule of its own, asked in the change.
  @Guarded(open)
  eraseActorName(@Arg('id', () => ID) id: string, @Ctx() { actor, services }: RequestContext): Promise<NamedActor> {
    return services.actorNames.erase(actor, id);
  }
}
