import { Arg, Ctx, Mutation, Resolver } from 'type-graphql';
import { Classified } from '../../graphql/decorators';
import { Guarded, open } from '../../graphql/guarded';
import type { RequestContext } from '../request';
import type { ShownInClear } from './claim.policy';
import { ClaimType, RecordClaimInput } from './claim.type';

@Resolver(() => ClaimType)
export class ClaimsResolver {
  @Mutation(() => ClaimType, {
    description:
      'Records what the customer states of one payment, ten times a ticket. Where it fits none of theirs or contradicts one, an alert tells; the answer doesn’t. The same idempotency key with the same input returns the same claim.',
  })
  @Classified('INTERNAL')
  // The action has a rule of its own, asked in the change.
  @Guarded(open)
  async recordClaim(
    @Arg('input', () => RecordClaimInput) input: RecordClaimInput,
    @Ctx() { actor, access, services }: RequestContext,
  ): Promise<ClaimType> {
    const shows: ShownInClear = (coordinates, link) => access.reveals(coordinates, link);
    const ticket = await services.tickets.inScope(actor, input.ticketId, (stored) =>
      services.claims().expectMayRecord(stored, input, shows),
    );
    return new ClaimType(await services.claims().record(ticket, input, shows));
  }
}
