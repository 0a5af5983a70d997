import { LRUCache } from 'lru-cache';
import type { SignedInActor } from '../../authz/actor';
import type { AccessPlan } from '../../authz/plan/plan';
import type { RequestAccess } from '../../graphql/request-access';
import { describeError } from '../../log';
import type { Core } from '../core';
import { Denials } from './denials.service';
import { disclosureOf } from './disclosure';
import { Disclosures } from './disclosures.service';
import { statedPlan } from './stated-plans';

/** Characters of names of operations, with their digests, that are kept: most requests come under one of a few names. */
const keptCharacters = 256 * 1024;

/** The record of what was shown and of what was denied. */
export const createDisclosures = ({ database, keys, clock, log, policy }: Core) => {
  const onFault = (error: unknown) => log.error({ error: describeError(error) }, 'the audit log could not be written');
  const disclosures = new Disclosures(database, clock, onFault);
  const denials = new Denials(database, onFault);
  // The client words it: in clear, a leaf would hold a stranger's text for ever.
  const names = new LRUCache<string, string>({
    maxSize: keptCharacters,
    sizeCalculation: (digest, name) => name.length + digest.length,
  });
  const stoodIn = (name: string): string => {
    const digest = names.get(name) ?? keys.digests.operation(name);
    names.set(name, digest);
    return digest;
  };
  return {
    disclosures,
    denials,
    /** Resolves once what a request showed is on record; see `Disclosures.record`. */
    recordShowing: async (
      actor: SignedInActor,
      access: RequestAccess,
      plan: Pick<AccessPlan, 'digest' | 'policedFields'>,
      operation: string | null,
    ): Promise<void> => {
      const name = operation === null ? null : stoodIn(operation);
      const disclosure = disclosureOf(actor, access, () => statedPlan(plan, policy.digest), name);
      if (disclosure) await disclosures.record(disclosure);
    },
    /** Waits for what is under way, and writes the denials that were only counted so far. */
    close: async (): Promise<void> => {
      await disclosures.idle();
      await denials.close();
    },
  };
};
