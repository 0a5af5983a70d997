import { Arg, Ctx, FieldResolver, ID, ObjectType, Resolver, registerEnumType } from 'type-graphql';
import { accessClassOf, type LinkAssurance } from '../../authz/actor';
import {
  type WithheldLift,
  type WithheldField as WithheldVerdict,
  withheldFrom,
  withheldLifts,
} from '../../authz/policy/withheld';
import { Failure } from '../../failure';
import { Classified, Exposed } from '../../graphql/decorators';
import { enumOf } from '../../graphql/enum-of';
import { Guarded, open } from '../../graphql/guarded';
import { Listed } from '../../graphql/listed';
import { LinkAssuranceEnum } from '../customers/customer.type';
import type { RequestContext } from '../request';
import { Viewer } from '../viewer/viewer.type';

const WithheldLiftEnum = enumOf(withheldLifts);
registerEnumType(WithheldLiftEnum, {
  name: 'WithheldLift',
  description: 'What would show more.',
  valuesConfig: {
    LINK: { description: 'A link that is surer.' },
    POLICY: { description: 'The payments team, who could expose more of it.' },
    NOTHING: { description: 'Nothing: nobody of your role gets more of it.' },
  },
});

@ObjectType({
  simpleResolvers: true,
  description: 'A field that you get masked, or null without an error, of customers with this link.',
})
class WithheldField implements WithheldVerdict {
  @Exposed('INTERNAL', () => ID, { description: 'As `Type.field`.' })
  field!: string;

  @Exposed('INTERNAL', () => LinkAssuranceEnum)
  link!: LinkAssurance;

  @Exposed('INTERNAL', () => Boolean, { description: 'Something of it is shown. Otherwise it is null, whatever there is.' })
  masked!: boolean;

  @Exposed('INTERNAL', () => WithheldLiftEnum)
  lift!: WithheldLift;
}

/** Types that are asked about at once. */
const mostTypes = 20;
/** Fields of so many, under each link. */
const mostFields = 600;

@Resolver(() => Viewer)
export class WithheldResolver {
  @Listed({ most: mostFields, parts: true })
  @FieldResolver(() => [WithheldField], {
    description:
      'What the policy masks or leaves out for you of these types, 20 at most, whoever it is about: so that it isn’t taken for empty. What is denied has an error in its place.',
  })
  @Classified('INTERNAL')
  // It tells of the reader's own rights alone, and of nobody's data.
  @Guarded(open)
  withheld(
    @Arg('types', () => [String]) types: readonly string[],
    @Ctx() { actor, services }: RequestContext,
  ): readonly WithheldField[] {
    if (types.length > mostTypes) throw Failure.invalid('types', `expected ${mostTypes} at most`);
    return withheldFrom(services.policy, accessClassOf(actor), types);
  }
}
