import { Ctx, Query, Resolver } from 'type-graphql';
import { Classified } from '../../graphql/decorators';
import type { RelationRules } from '../../graphql/shield';
import type { RequestContext } from '../request';
import { Viewer } from './viewer.type';

@Resolver(() => Viewer)
export class ViewerResolver {
  @Query(() => Viewer)
  @Classified('PUBLIC')
  viewer(@Ctx() { actor }: RequestContext): Viewer {
    return new Viewer(actor);
  }
}

export const viewerRelations: RelationRules = { Query: { viewer: 'open' } };
