import { credentialsIn } from '../authz/identity/presented-tokens';
import { asksForNonce } from '../authz/identity/proof-fault';
import type { Failure } from '../failure';

/** `WWW-Authenticate` of a refusal: what could be sent instead, and what was wrong (RFC 6750, 3; RFC 9449, 7.1 and 9). */
export const challengeOf = (failure: Failure, authorization: string | undefined, algorithms: readonly string[]): string => {
  const algs = `algs="${algorithms.join(' ')}"`;
  const [kind] = (failure.details.rule ?? '').split('.');
  if (kind === 'proof') return `DPoP error="${asksForNonce(failure) ? 'use_dpop_nonce' : 'invalid_dpop_proof'}", ${algs}`;
  const scheme = credentialsIn(authorization)?.scheme;
  if (scheme === undefined) return `Bearer, DPoP ${algs}`;
  const error = 'error="invalid_token"';
  return scheme === 'DPoP' ? `DPoP ${error}, ${algs}` : `Bearer ${error}, DPoP ${algs}`;
};
