import type { SignedInActor } from '../../authz/actor';
import type { Core } from '../core';
import { type AssistanceParts, Assistances } from './assistance.service';
import { AssistancesLoader } from './assistances.loader';
import { coversCustomer } from './live';

/** Grants: who may see which customer's payment context, because of which ticket, and until when. */
export const createAssistance = (
  { database, keys, redactor, clock, policy }: Core,
  { sources, maximumAge }: Pick<AssistanceParts, 'sources' | 'maximumAge'>,
) => {
  const service = new Assistances({ database, keys, redactor, clock, rules: policy.assistance, sources, maximumAge });
  return {
    service,
    loader: (actor: SignedInActor) => new AssistancesLoader(actor, service, clock),
    /** Under which condition an actor reaches a customer. */
    reach: coversCustomer,
  };
};
