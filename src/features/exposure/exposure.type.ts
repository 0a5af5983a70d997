import { ID, Int, ObjectType, registerEnumType } from 'type-graphql';
import { type LinkAssurance, linkAssurances, type Role, roles } from '../../authz/actor';
import { fieldClasses } from '../../authz/policy/classification';
import type { Explanation } from '../../authz/policy/explain';
import type { ExposurePolicy } from '../../authz/policy/exposure';
import { masks } from '../../authz/policy/mask';
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

  @Exposed('INTERNAL', () => String, { nullable: true, description: 'What the mask shows of a value, where the verdict is one.' })
  mask!: string | null;

  @Exposed('INTERNAL', () => String, { nullable: true, description: 'The entry of the policy file that decides.' })
  decidedBy!: string | null;

  @Exposed('INTERNAL', () => Int, { nullable: true, description: 'Where that stands in the file, from 1.' })
  line!: number | null;
}

@ObjectType({ simpleResolvers: true, description: 'One field of the graph, its class, and what the policy file makes of it.' })
export class FieldExposure {
  constructor(
    private readonly policy: ExposurePolicy,
    readonly field: string,
    private readonly fieldClass: string,
    private readonly mfa: boolean,
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
      const access = { roles: [role], mfa: this.mfa };
      const verdicts = this.policy.verdicts(this.field, access);
      return linkAssurances.map((assurance) => {
        const verdict = verdicts[assurance];
        const entry = this.policy.decidedBy(this.field, access, assurance)?.entry;
        return {
          role,
          assurance,
          verdict: verdictText(verdict),
          mask: verdict.kind === 'mask' ? masks[verdict.mask].description : null,
          decidedBy: entry?.path ?? null,
          line: entry?.line ?? null,
        };
      });
    });
  }

  @Listed({ most: roles.length, parts: true })
  @Exposed('INTERNAL', () => [RoleEnum])
  get filterableBy(): readonly Role[] {
    return roles.filter((role) => this.policy.mayFilter(this.field, { roles: [role], mfa: this.mfa }));
  }

  @Listed({ most: roles.length, parts: true })
  @Exposed('INTERNAL', () => [RoleEnum])
  get sortableBy(): readonly Role[] {
    return roles.filter((role) => this.policy.maySort(this.field, { roles: [role], mfa: this.mfa }));
  }
}

@ObjectType({ simpleResolvers: true, description: 'Why a field is shown as it is.' })
export class AccessDecision {
  constructor(
    private readonly explanation: Explanation,
    private readonly asked: { readonly role: Role; readonly mfa: boolean; readonly assurance: LinkAssurance },
  ) {}

  @Exposed('INTERNAL', () => String)
  get field(): string {
    return this.explanation.coordinate;
  }

  @Exposed('INTERNAL', () => RoleEnum)
  get role(): Role {
    return this.asked.role;
  }

  @Exposed('INTERNAL', () => Boolean)
  get mfa(): boolean {
    return this.asked.mfa;
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
