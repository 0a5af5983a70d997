import { ID, Int, ObjectType, registerEnumType } from 'type-graphql';
import { type LinkAssurance, linkAssurances, type Role, roles } from '../../authz/actor';
import { fieldClasses } from '../../authz/policy/classification';
import type { Explanation } from '../../authz/policy/explain';
import type { ExposurePolicy } from '../../authz/policy/exposure';
import { verdictText } from '../../authz/policy/verdict';
import { Exposed } from '../../graphql/decorators';
import { enumOf } from '../../graphql/enum-of';
import { Listed } from '../../graphql/listed';
import { LinkAssuranceEnum } from '../customers/customer.type';
import { RoleEnum } from '../viewer/viewer.type';

export const FieldClassEnum = enumOf(fieldClasses);
registerEnumType(FieldClassEnum, { name: 'FieldClass' });

@ObjectType({
  simpleResolvers: true,
  description: 'What one role gets of one field, by assurance of the link: reveal, mask:HOW, omit or deny.',
})
export class RoleVerdict {
  @Exposed('INTERNAL', () => RoleEnum)
  role!: Role;

  @Exposed('INTERNAL', () => LinkAssuranceEnum)
  assurance!: LinkAssurance;

  @Exposed('INTERNAL', () => String)
  verdict!: string;
}

@ObjectType({ simpleResolvers: true, description: 'One field of the graph, its class, and what the policy file makes of it.' })
export class FieldExposure {
  constructor(
    private readonly policy: ExposurePolicy,
    readonly field: string,
    private readonly fieldClass: string,
  ) {}

  @Exposed('INTERNAL', () => ID)
  get coordinate(): string {
    return this.field;
  }

  @Exposed('INTERNAL', () => FieldClassEnum)
  get class(): string {
    return this.fieldClass;
  }

  @Listed({ most: roles.length * linkAssurances.length, parts: true })
  @Exposed('INTERNAL', () => [RoleVerdict])
  get verdicts(): readonly RoleVerdict[] {
    return roles.flatMap((role) => {
      const verdicts = this.policy.verdicts(this.field, { roles: [role], mfa: true });
      return (['VERIFIED', 'MATCHED', 'NONE'] as const).map((assurance) => ({
        role,
        assurance,
        verdict: verdictText(verdicts[assurance]),
      }));
    });
  }

  @Listed({ most: roles.length, parts: true })
  @Exposed('INTERNAL', () => [RoleEnum])
  get filterableBy(): readonly Role[] {
    return roles.filter((role) => this.policy.mayFilter(this.field, { roles: [role], mfa: true }));
  }

  @Listed({ most: roles.length, parts: true })
  @Exposed('INTERNAL', () => [RoleEnum])
  get sortableBy(): readonly Role[] {
    return roles.filter((role) => this.policy.maySort(this.field, { roles: [role], mfa: true }));
  }
}

@ObjectType({ simpleResolvers: true, description: 'Why a field is shown as it is.' })
export class AccessDecision {
  constructor(
    private readonly explanation: Explanation,
    private readonly asked: { readonly role: Role; readonly assurance: LinkAssurance },
  ) {}

  @Exposed('INTERNAL', () => String)
  get field(): string {
    return this.explanation.coordinate;
  }

  @Exposed('INTERNAL', () => RoleEnum)
  get role(): Role {
    return this.asked.role;
  }

  @Exposed('INTERNAL', () => LinkAssuranceEnum)
  get assurance(): LinkAssurance {
    return this.asked.assurance;
  }

  @Exposed('INTERNAL', () => FieldClassEnum)
  get class(): string {
    return this.explanation.class;
  }

  @Exposed('INTERNAL', () => String)
  get verdict(): string {
    return verdictText(this.explanation.verdict);
  }

  @Exposed('INTERNAL', () => String, {
    description: 'The most that any policy file may give this role of this class: reveal, mask, omit or deny.',
  })
  get ceiling(): string {
    return this.explanation.ceiling;
  }

  @Exposed('INTERNAL', () => String, { nullable: true, description: 'The entry of the policy file that decides.' })
  get decidedBy(): string | null {
    return this.explanation.decidedBy?.path ?? null;
  }

  @Exposed('INTERNAL', () => Int, { nullable: true })
  get line(): number | null {
    return this.explanation.decidedBy?.line ?? null;
  }

  @Exposed('INTERNAL', () => String, { description: 'What would have to change for more to be shown.' })
  get lift(): string {
    return this.explanation.lift;
  }
}
