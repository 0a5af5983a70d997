import { Ctx, Query, Resolver } from 'type-graphql';
import { Classified } from '../../graphql/decorators';
import { Guarded, open } from '../../graphql/guarded';
import { Listed } from '../../graphql/listed';
import type { RequestContext } from '../request';
import { SourceReport } from './source.type';

/** Sources that are told of at most. */
const mostSources = 100;

@Resolver()
export class SourcesResolver {
  @Listed({ most: mostSources })
  @Query(() => [SourceReport], { description: 'How the configured sources are doing, helpdesks first.' })
  @Classified('INTERNAL')
  // Who may ask at all is in the policy file; it is about no customer.
  @Guarded(open)
  sources(@Ctx() { services }: RequestContext): Promise<readonly SourceReport[]> {
    return services.sourceReports.all();
  }
}
