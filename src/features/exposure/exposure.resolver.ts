import { Arg, Ctx, ID, Int, Query, Resolver } from 'type-graphql';
import type { LinkAssurance, Role } from '../../authz/actor';
import { explain } from '../../authz/policy/explain';
import { Failure } from '../../failure';
import { Classified } from '../../graphql/decorators';
import { Guarded, open } from '../../graphql/guarded';
import { Listed } from '../../graphql/listed';
import { withSecondFactor } from '../audit/audit.policy';
import { LinkAssuranceEnum } from '../customers/customer.type';
import type { RequestContext } from '../request';
import { RoleEnum } from '../viewer/viewer.type';
import { PolicyDiff } from './comparison.type';
import { PolicyCoverage } from './coverage.type';
import { AccessDecision, FieldExposure } from './exposure.type';
import { PolicyPreview } from './preview.type';
import { PolicyVersionConnection } from './version.type';

/** Fields that are told at most: more than the graph has. */
const mostFields = 800;

@Resolver()
export class ExposureResolver {
  @Listed({ most: mostFields })
  @Query(() => [FieldExposure], {
    description: 'The policy in force, field by field; of one type where named. The first of them where asked for fewer.',
  })
  @Classified('INTERNAL')
  // Who may ask at all is in the policy file.
  @Guarded(open)
  exposure(
    @Arg('type', () => String, { nullable: true }) type: string | null | undefined,
    @Arg('first', () => Int, { nullable: true, defaultValue: mostFields }) first: number | null,
    @Arg('mfa', () => Boolean, {
      nullable: true,
      defaultValue: true,
      description: 'Whether the verdicts are those of sessions with a second factor.',
    })
    mfa: boolean | null,
    @Ctx() { services }: RequestContext,
  ): readonly FieldExposure[] {
    const { policy } = services;
    const most = first ?? mostFields;
    if (most < 1 || most > mostFields) throw Failure.invalid('first', `expected a number from 1 to ${mostFields}`);
    return [...policy.classification.fields.values()]
      .filter((field) => type === undefined || type === null || field.typeName === type)
      .slice(0, most)
      .map((field) => new FieldExposure(policy, field.coordinate, field.class, mfa ?? true));
  }

  @Query(() => AccessDecision, {
    description:
      'Whether and why a role sees a field, without or with a second factor, under a link; with a ticket on which you assist, under that ticket’s. A ticket outside your scope is NOT_FOUND.',
  })
  @Classified('INTERNAL')
  // Who may ask at all is in the policy file.
  @Guarded(open)
  async explainAccess(
    @Arg('field', () => String) field: string,
    @Arg('role', () => RoleEnum, { nullable: true }) role: Role | undefined,
    @Arg('ticketId', () => ID, { nullable: true }) ticketId: string | null | undefined,
    @Arg('mfa', () => Boolean, { nullable: true, defaultValue: true }) mfa: boolean | null,
    @Arg('assurance', () => LinkAssuranceEnum, { nullable: true }) assurance: LinkAssurance | null | undefined,
    @Ctx() { actor, access, loaders, services }: RequestContext,
  ): Promise<AccessDecision> {
    const isOfTicket = ticketId !== undefined && ticketId !== null;
    if (isOfTicket && assurance) throw Failure.invalid('assurance', 'expected a link or a ticket, which has one, and not both');
    if (!services.policy.classification.fields.has(field))
      throw Failure.invalid('field', 'expected a field of the graph as Type.field');
    const asked = {
      role: role ?? 'AGENT',
      mfa: mfa ?? true,
      assurance: isOfTicket
        ? await services.tickets.linkOf(actor, { access, customers: loaders.customers }, ticketId, 'Query.explainAccess')
        : (assurance ?? 'VERIFIED'),
    };
    const explained = explain(services.policy, field, { roles: [asked.role], mfa: asked.mfa }, asked.assurance);
    return new AccessDecision(explained, asked);
  }

  @Query(() => PolicyCoverage, { description: 'How the policy in force covers the graph.' })
  @Classified('INTERNAL')
  // Who may ask at all is in the policy file.
  @Guarded(open)
  policyCoverage(@Ctx() { services }: RequestContext): PolicyCoverage {
    return new PolicyCoverage(services.policyCoverage());
  }

  @Query(() => PolicyPreview, {
    description:
      'A ticket that is made up, as somebody of one role would be answered: planned, masked and denied as a real one is. Nothing that is stored is read for it.',
  })
  @Classified('INTERNAL')
  // Who may ask at all is in the policy file; there is nobody of whom anything is shown.
  @Guarded(open)
  async policyPreview(
    @Arg('role', () => RoleEnum) role: Role,
    @Arg('mfa', () => Boolean, { nullable: true, defaultValue: true }) mfa: boolean | null,
    @Arg('assurance', () => LinkAssuranceEnum, {
      nullable: true,
      defaultValue: LinkAssuranceEnum.VERIFIED,
      description: 'Of the link between the customer and their payment side.',
    })
    assurance: LinkAssurance | null,
    @Ctx() { services }: RequestContext,
  ): Promise<PolicyPreview> {
    const access = { role, mfa: mfa ?? true, link: assurance ?? 'VERIFIED' };
    return { ...access, policy: services.policy.digest, fields: await services.policyPreviews().panelOf(access) };
  }

  @Query(() => PolicyDiff, {
    description:
      'What a policy file, or a policy that was in force, would change against the one in force, in words, and how many disclosures of the last thirty days showed what it shows otherwise. A file isn’t kept, and nothing comes into force by this.',
  })
  @Classified('INTERNAL')
  // Whoever the policy file names asks this; it counts in everybody's part of the log.
  @Guarded(withSecondFactor)
  async policyDiff(
    @Arg('file', () => String, { nullable: true, description: 'Its text: 64 KiB and 2,000 lines at most, without aliases.' })
    file: string | null | undefined,
    @Arg('version', () => ID, { nullable: true, description: 'In place of a file: the digest of one of `policyVersions`.' })
    version: string | null | undefined,
    @Ctx() { access, services }: RequestContext,
  ): Promise<PolicyDiff> {
    return new PolicyDiff(await services.policyComparisons().compare(access, { file, version }));
  }

  @Query(() => PolicyVersionConnection, {
    description: 'The policies that were in force and that policyDiff can compare, newest first.',
  })
  @Classified('INTERNAL')
  // Whoever the policy file names reads this; it goes by events of the log.
  @Guarded(withSecondFactor)
  async policyVersions(
    @Arg('first', () => Int, { nullable: true, defaultValue: 20 }) first: number | null,
    @Arg('after', () => String, { nullable: true }) after: string | null | undefined,
    @Ctx() { actor, services }: RequestContext,
  ) {
    return new PolicyVersionConnection(await services.policyVersions().page(actor, first, after));
  }
}
