import { Ctx, Query, Resolver } from 'type-graphql';
import { Classified } from '../../graphql/decorators';
import { Guarded, open } from '../../graphql/guarded';
import type { RequestContext } from '../request';
import { Viewer } from './viewer.type';

@Resolver(() => Viewer)
export class ViewerResolver {
  @Query(() => Viewer)
  @Classified('PUBLIC')
  @Guarded(open)
  viewer(@Ctx() { actor }: RequestContext): Viewer {
    return new Viewer(actor);
  }
}
