import type { SignedInActor } from '../../authz/actor';
import type { Core } from '../core';
import type { Loading } from '../loading';
import type { TicketGrounds } from '../tickets/tickets.policy';
import { Assistances } from './assistance.service';
import { AssistancesLoader } from './assistances.loader';
import { assistsOn, coversCustomer } from './live';
import { Opening, type OpeningParts } from './opening.service';

/** Grants: who may see which customer's payment context, because of which ticket, and until when. */
export const createAssistance = (
  { database, keys, clock, policy, answerSteps }: Core,
  { sources, maximumAge }: Pick<OpeningParts, 'sources' | 'maximumAge'>,
) => {
  const scope: TicketGrounds = { roles: policy.scope, assisted: assistsOn };
  const service = new Assistances({ database, keys, clock, rules: policy.assistance, sources, maximumAge });
  return {
    service,
    opening: new Opening({ database, keys, clock, answerSteps, sources, scope, maximumAge, assistances: service }),
    loader: (actor: SignedInActor, loading: Loading) => new AssistancesLoader(actor, service, clock, loading),
    recurring: [() => service.expire()],
    /** Why actors work with tickets. */
    scope,
    /** Under which condition an actor reaches a customer. */
    reach: coversCustomer,
  };
};
