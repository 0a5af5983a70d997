import { ID, Int, ObjectType } from 'type-graphql';
import type { LinkAssurance, Role } from '../../authz/actor';
import { Exposed } from '../../graphql/decorators';
import { Listed } from '../../graphql/listed';
import { LinkAssuranceEnum } from '../customers/customer.type';
import { RoleEnum } from '../viewer/viewer.type';
import { FieldClassEnum } from './exposure.type';
import type { PreviewedAccess, PreviewedValue } from './previews.service';

/** Values that the example has at most. */
const mostValues = 400;

@ObjectType({ simpleResolvers: true, description: 'One value of the panel as it would be answered.' })
export class PreviewedField implements PreviewedValue {
  @Exposed('INTERNAL', () => String, {
    description:
      'Where it stands: `ticket.customer.email`, `alerts.nodes.0.rule`. One of which nothing is shown ends where that is so.',
  })
  path!: string;

  @Exposed('INTERNAL', () => ID, { description: 'As `FieldExposure.coordinate`.' })
  coordinate!: string;

  @Exposed('INTERNAL', () => FieldClassEnum)
  class!: string;

  @Exposed('INTERNAL', () => LinkAssuranceEnum, { description: 'Under which it is decided: what a ticket holds is under none.' })
  link!: LinkAssurance;

  @Exposed('INTERNAL', () => String, { description: 'reveal, mask:HOW, omit or deny.' })
  verdict!: string;

  @Exposed('INTERNAL', () => String, {
    nullable: true,
    description: 'The made-up value as the verdict leaves it, as a text; null where nothing is shown.',
  })
  value!: string | null;

  @Exposed('INTERNAL', () => String, {
    nullable: true,
    description: 'Why it is denied, or left out for want of a link: `reason` of the error that stands there.',
  })
  reason!: string | null;

  @Exposed('INTERNAL', () => String, { nullable: true, description: 'What would lift it, as who is denied is told.' })
  remedy!: string | null;

  @Exposed('INTERNAL', () => String, { nullable: true, description: 'The entry of the policy file that decides.' })
  decidedBy!: string | null;

  @Exposed('INTERNAL', () => Int, { nullable: true })
  line!: number | null;
}

@ObjectType({ simpleResolvers: true, description: 'A ticket that is made up, as somebody with this access would be answered.' })
export class PolicyPreview implements PreviewedAccess {
  @Exposed('INTERNAL', () => RoleEnum)
  role!: Role;

  @Exposed('INTERNAL', () => Boolean)
  mfa!: boolean;

  @Exposed('INTERNAL', () => LinkAssuranceEnum)
  link!: LinkAssurance;

  @Exposed('INTERNAL', () => String, { description: 'SHA-256 of the policy in force.' })
  policy!: string;

  @Listed({ most: mostValues })
  @Exposed('INTERNAL', () => [PreviewedField])
  fields!: readonly PreviewedField[];
}
