import { LogoutVerifier } from '../../authz/identity/back-channel-logout';
import { TokenVerifier, type TokenVerifierOptions } from '../../authz/identity/token-verifier';
import type { Core } from '../core';
import { type ActorParts, Actors } from './actors.service';

export interface IdentitySettings {
  readonly issuers: TokenVerifierOptions['issuers'];
  /** Issuers without TLS are taken, as those of development are. */
  readonly development: boolean;
  readonly mfaRequired: boolean;
  readonly brakes: Pick<ActorParts, 'isSignedOut' | 'stopAlso'>;
  readonly noteUse: ActorParts['noteUse'];
}

/** Who asks, by the tokens of the merchant's identity providers; sessions that were ended before this start stay ended. */
export const createActors = async (
  { database, keys, clock, log }: Core,
  { issuers, development, mfaRequired, brakes, noteUse }: IdentitySettings,
): Promise<Actors> => {
  const trust = {
    issuers,
    clock,
    development,
    onKeySetFault: (issuer: string, why: string) => log.warn({ issuer, why }, 'the key set of an issuer could not be fetched'),
  };
  const actors = new Actors({
    database,
    keys,
    clock,
    tokens: new TokenVerifier(trust),
    logouts: new LogoutVerifier(trust),
    mfaRequired,
    isSignedOut: (person) => brakes.isSignedOut(person),
    stopAlso: (person) => brakes.stopAlso(person),
    noteUse,
  });
  await actors.restoreRevocations();
  return actors;
};
