import type { SignedInActor } from '../../authz/actor';
import type { RequestAccess } from '../../graphql/request-access';
import { describeError } from '../../log';
import type { Core } from '../core';
import { Denials } from './denials.service';
import { disclosureOf } from './disclosure';
import { Disclosures } from './disclosures.service';

/** The record of what was shown and of what was denied. */
export const createDisclosures = ({ database, keys, clock, log, policy }: Core) => {
  const onFault = (error: unknown) => log.error({ error: describeError(error) }, 'the audit log could not be written');
  const disclosures = new Disclosures(database, clock, onFault);
  const denials = new Denials(database, onFault);
  return {
    disclosures,
    denials,
    /** Resolves once what a request showed is on record; see `Disclosures.record`. */
    recordShowing: async (
      actor: SignedInActor,
      access: RequestAccess,
      plan: { readonly digest: string },
      operation: string | null,
    ): Promise<void> => {
      // The client words it: in clear, a leaf would hold a stranger's text for ever.
      const name = operation === null ? null : keys.digests.operation(operation);
      const disclosure = disclosureOf(actor, access, plan.digest, policy.digest, name);
      if (disclosure) await disclosures.record(disclosure);
    },
    /** Waits for what is under way, and writes the denials that were only counted so far. */
    close: async (): Promise<void> => {
      await disclosures.idle();
      await denials.close();
    },
  };
};
