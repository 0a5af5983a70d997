import type { LinkAssurance } from '../../authz/actor';

/** A helpdesk customer, as far as it says who they are on the payment side. All texts are keyed digests. */
export interface LinkSubject {
  /** Of `<source>:<reference>`. */
  readonly nameDigest: string;
  readonly emailDigest: string | null;
  readonly emailEdited: boolean;
  /** Of the payment customer's reference in a helpdesk field which agents can't write. */
  readonly protectedReferenceDigest: string | null;
}

export interface LinkCandidate {
  readonly id: string;
  readonly referenceDigest: string;
  readonly emailDigest: string | null;
  /** Of the helpdesk customer that the provider's metadata names. */
  readonly helpdeskNameDigest: string | null;
}

export interface Link {
  readonly assurance: LinkAssurance;
  readonly paymentCustomerId: string | null;
}

const none: Link = { assurance: 'NONE', paymentCustomerId: null };

const only = (candidates: readonly LinkCandidate[], assurance: LinkAssurance): Link =>
  candidates.length === 1 && candidates[0] ? { assurance, paymentCustomerId: candidates[0].id } : none;

/** Milliseconds before a customer is looked up again after 1, 2, … faults of a source: half a minute, doubled up to an hour. */
export const pauseAfter = (tries: number): number => Math.min(3_600_000, 30_000 * 2 ** (tries - 1));

/**
 * Who a helpdesk customer is on the payment side, out of every candidate there is. VERIFIED only where the payment side
 * names them, or a field that agents can't write does; the two must not contradict each other. MATCHED where exactly one
 * candidate has their e-mail, the address is the one they came with (staff can edit it later), and the candidate
 * doesn't name somebody else. Two candidates are NONE, never a guess.
 */
export const decideLink = (subject: LinkSubject, candidates: readonly LinkCandidate[]): Link => {
  const named = candidates.filter((candidate) => candidate.helpdeskNameDigest === subject.nameDigest);
  const pointedAt =
    subject.protectedReferenceDigest === null
      ? []
      : candidates.filter((candidate) => candidate.referenceDigest === subject.protectedReferenceDigest);
  const proven = [...new Set([...named, ...pointedAt])];
  if (proven.length > 0) return only(proven, 'VERIFIED');
  if (subject.protectedReferenceDigest !== null || subject.emailDigest === null || subject.emailEdited) return none;
  const sameEmail = candidates.filter((candidate) => candidate.emailDigest === subject.emailDigest);
  return sameEmail.some((candidate) => candidate.helpdeskNameDigest !== null) ? none : only(sameEmail, 'MATCHED');
};
