import { Int, ObjectType } from 'type-graphql';
import { type Role, roles } from '../../authz/actor';
import { fieldClasses } from '../../authz/policy/classification';
import type { PolicyCoverage as Coverage } from '../../authz/policy/coverage';
import { Exposed } from '../../graphql/decorators';
import { Listed } from '../../graphql/listed';
import { RoleEnum } from '../viewer/viewer.type';
import { FieldClassEnum } from './exposure.type';

@ObjectType({ simpleResolvers: true, description: 'How many fields of the graph have a class.' })
class ClassCount {
  @Exposed('INTERNAL', () => FieldClassEnum)
  class!: string;

  @Exposed('INTERNAL', () => Int)
  count!: number;
}

@ObjectType({
  simpleResolvers: true,
  description:
    'How many fields a role gets how. One whose verdict depends on the link counts once for each kind of verdict that it has.',
})
class RoleCoverage {
  @Exposed('INTERNAL', () => RoleEnum)
  role!: Role;

  @Exposed('INTERNAL', () => Int)
  reveal!: number;

  @Exposed('INTERNAL', () => Int)
  mask!: number;

  @Exposed('INTERNAL', () => Int)
  omit!: number;

  @Exposed('INTERNAL', () => Int)
  deny!: number;
}

@ObjectType({
  simpleResolvers: true,
  description:
    'How the policy in force covers the graph, as “counterfoil policy check” has it. A field without a verdict would have stopped the start.',
})
export class PolicyCoverage {
  constructor(private readonly coverage: Coverage) {}

  @Exposed('INTERNAL', () => String, { description: 'SHA-256 of what the policy means.' })
  get digest(): string {
    return this.coverage.digest;
  }

  @Exposed('INTERNAL', () => Int)
  get fields(): number {
    return this.coverage.fields;
  }

  @Exposed('INTERNAL', () => Int)
  get types(): number {
    return this.coverage.types;
  }

  @Exposed('INTERNAL', () => Int, { description: 'Fields that need a second factor to read and a record of who did.' })
  get policed(): number {
    return this.coverage.policed;
  }

  @Exposed('INTERNAL', () => Int, { description: 'Fields that can be filtered by.' })
  get filters(): number {
    return this.coverage.filters;
  }

  @Exposed('INTERNAL', () => Int, { description: 'Fields that can be sorted by.' })
  get sorts(): number {
    return this.coverage.sorts;
  }

  @Listed({ most: fieldClasses.length, parts: true })
  @Exposed('INTERNAL', () => [ClassCount])
  get classes(): readonly ClassCount[] {
    return [...this.coverage.classes].map(([name, count]) => ({ class: name, count }));
  }

  @Listed({ most: roles.length, parts: true })
  @Exposed('INTERNAL', () => [RoleCoverage])
  get roles(): readonly RoleCoverage[] {
    return [...this.coverage.verdicts].map(([role, counts]) => ({ role, ...counts }));
  }
}
