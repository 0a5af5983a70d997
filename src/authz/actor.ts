export const roles = ['AGENT', 'SUPERVISOR', 'PAYMENTS', 'AUDITOR', 'PRIVACY', 'SERVICE', 'ADMIN'] as const;
export type Role = (typeof roles)[number];

/** How surely a helpdesk customer and a payment customer are the same person. */
export const linkAssurances = ['VERIFIED', 'MATCHED', 'NONE'] as const;
export type LinkAssurance = (typeof linkAssurances)[number];

/** A live assistance as the rules need it: loaded for a request, and checked again where what was shown under it is recorded. */
export interface LiveAssistance {
  readonly id: string;
  readonly ticketId: string;
  readonly customerId: string;
  readonly expiresAt: Date;
}

/** A frame of ours in a helpdesk's page. */
export interface FrameSurface {
  /** The helpdesk that its session is for. */
  readonly source: string;
  /** What the helpdesk signed for the page that the frame is in; null where it signed nothing, or nothing that is taken. */
  readonly signed: SignedContext | null;
}

/** Who is signed in to a helpdesk, and at which ticket, as it signed that itself. */
export interface SignedContext {
  /** Null where it names the person alone. */
  readonly reference: string | null;
  /** Keyed digests that the person may be kept under among its staff; or their reference there. */
  readonly user: readonly string[] | { readonly reference: string };
}

/** A signed-in person of the merchant, or a service of theirs. */
export interface SignedInActor {
  readonly kind: 'staff' | 'service';
  /** `act_…`, our own id of (issuer, subject). */
  readonly id: string;
  readonly roles: readonly Role[];
  /** False where the token didn't even have the claim that names roles: what to mend is another thing then. */
  readonly namesRoles?: boolean;
  readonly teams: readonly string[];
  /** The client that the token was issued to (`client_id` or `azp`); not there where it names none, or two that differ. */
  readonly clientId?: string;
  /** The session was opened with a second factor (`amr` or `acr` of the token). */
  readonly mfa: boolean;
  /** When the person last authenticated (`auth_time`), null when the token doesn't say. */
  readonly authenticatedAt: Date | null;
  /** The token's end; nothing is done for this actor afterwards. */
  readonly expiresAt: Date;
  /** Ids of the helpdesk staff rows that are this person (`stf_…`), one a source at most. */
  readonly staffIds: readonly string[];
  /** Names of the helpdesks that these rows are of. */
  readonly helpdesks: readonly string[];
  /** The frame that they ask from, in which less may be done; not there where it isn't one. */
  readonly frame?: FrameSurface;
}

/** A job of the gateway itself: sync, expiry, migration. */
export interface SystemActor {
  readonly kind: 'system';
  readonly id: string;
  readonly job: string;
}

/** For what customers get links that they answer by. */
export type InvitationPurpose = 'CREDENTIAL_UPDATE' | 'RECOGNITION';

/** What a customer's link asks them about. */
export interface Invitation {
  readonly purpose: InvitationPurpose;
  /** `cru_…` of an update, `rcg_…` of a question about a payment. */
  readonly subjectId: string;
}

/** The customer of one invitation, on the page that their link leads to: who they are is what the link proves, and no more. */
export interface CustomerActor {
  readonly kind: 'customer';
  /** `customer:cru_…` or `customer:rcg_…`: the log names the person by digest only. */
  readonly id: string;
  readonly invitation: Invitation;
}

export type Actor = SignedInActor | SystemActor | CustomerActor;

export const systemActor = (job: string): SystemActor => ({ kind: 'system', id: `system:${job}`, job });

export const customerActor = (invitation: Invitation): CustomerActor => ({
  kind: 'customer',
  id: `customer:${invitation.subjectId}`,
  invitation,
});

export const isSignedIn = (actor: Actor): actor is SignedInActor => actor.kind === 'staff' || actor.kind === 'service';

/** The finite class of an actor on which field verdicts depend: roles and the session's assurance. Nothing of the person. */
export interface AccessClass {
  readonly roles: readonly Role[];
  readonly mfa: boolean;
}

export const accessClassOf = (actor: Actor): AccessClass =>
  isSignedIn(actor) ? { roles: actor.roles, mfa: actor.mfa } : { roles: [], mfa: false };

/** Stable key of an access class, for caches. */
export const accessClassKey = (access: AccessClass): string =>
  `${[...access.roles].sort().join('+')}|${access.mfa ? 'mfa' : '-'}`;
