import { LogoutVerifier } from '../../authz/identity/back-channel-logout';
import type { DpopSettings } from '../../authz/identity/dpop.section';
import { PresentedTokens } from '../../authz/identity/presented-tokens';
import { ProofNonces } from '../../authz/identity/proof-nonces';
import { ProofVerifier } from '../../authz/identity/proof-verifier';
import { TokenVerifier, type TokenVerifierOptions } from '../../authz/identity/token-verifier';
import { loopbackHosts } from '../../section';
import type { Core } from '../core';
import { type ActorParts, Actors } from './actors.service';
import { KeptNames } from './kept-names';
import { StoredProofs } from './used-proofs';

export interface IdentitySettings {
  /** In development issuers without TLS are taken, and this machine has more names than one. */
  readonly production: boolean;
  readonly mfaRequired: boolean;
  /** How long sessions of browsers go on at most; null where there are none. */
  readonly signIn: { readonly hours: number } | null;
  readonly dpop: DpopSettings;
}

export interface IdentityParts {
  readonly issuers: TokenVerifierOptions['issuers'];
  readonly brakes: Pick<ActorParts, 'isSignedOut' | 'stopAlso'>;
  readonly noteUse: ActorParts['noteUse'];
}

/** Where the gateway is reached at its own address: on this machine by each of its names. */
const namesOf = (address: string, production: boolean): readonly string[] => {
  const { protocol, hostname, port } = new URL(address);
  if (production || !loopbackHosts.includes(hostname)) return [address];
  return ['localhost', '127.0.0.1', '[::1]'].map((name) => `${protocol}//${name}${port === '' ? '' : `:${port}`}`);
};

/** Who asks, by the tokens of the merchant's identity providers; sessions that were ended before this start stay ended. */
export const createActors = async (
  { database, keys, clock, log, publicUrl }: Core,
  { production, mfaRequired, signIn, dpop }: IdentitySettings,
  { issuers, brakes, noteUse }: IdentityParts,
): Promise<Actors> => {
  const trust = {
    issuers,
    clock,
    development: !production,
    onKeySetFault: (issuer: string, why: string) => log.warn({ issuer, why }, 'the key set of an issuer could not be fetched'),
  };
  const used = new StoredProofs({ database, clock });
  const proofs = new ProofVerifier({
    settings: dpop,
    addresses: () => dpop.addresses ?? namesOf(publicUrl(), production),
    nonces: new ProofNonces(keys.proofKey),
    used,
    clock,
  });
  const actors = new Actors({
    database,
    keys,
    clock,
    tokens: new PresentedTokens(new TokenVerifier(trust), proofs),
    logouts: new LogoutVerifier(trust),
    mfaRequired,
    longestSession: (signIn?.hours ?? 0) * 3_600_000,
    used,
    names: new KeptNames({ database, keys }),
    isSignedOut: (person) => brakes.isSignedOut(person),
    stopAlso: (person) => brakes.stopAlso(person),
    noteUse,
  });
  await actors.restoreRevocations();
  return actors;
};
